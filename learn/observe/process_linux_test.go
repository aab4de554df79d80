package observe

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseIDs(t *testing.T) {
	const status = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t33 4294967294 \nCapEff:\t0\n"
	want := &IDs{UID: 2, GID: 6, Groups: []uint32{33, 4294967294}}
	if got := parseIDs(strings.NewReader(status)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, change := range [][2]string{{"Uid:\t1", "Uid:"}, {"Gid:", "Gi:"}, {"Groups:", "Group:"}, {"\t6\t", "\tx\t"}} {
		if got := parseIDs(strings.NewReader(strings.Replace(status, change[0], change[1], 1))); got != nil {
			t.Errorf("%q: %+v", change, got)
		}
	}
}

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]int{"0": {0}, "0-3": {0, 1, 2, 3}, "1,3-4,8191": {1, 3, 4, 8191}, "": nil, "3-1": nil, "0-8192": nil, "x": nil, "1-": nil} {
		got, err := parseCPUs(text)
		if (err != nil) != (want == nil) || err == nil && !slices.Equal(got, want) {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
}

func TestRingSize(t *testing.T) {
	page := unix.Getpagesize()
	for _, test := range [][3]int{{0, 2, 1 << 20}, {0, 64, 1 << 20}, {0, 128, 1 << 19}, {1, 2, page}, {3 * page, 2, 2 * page}, {-1, 1, 1 << 20}, {1<<31 - 1, 1, 1 << 30}} {
		if got := ringSize(test[0], test[1]); got != test[2] {
			t.Errorf("%d for %d CPUs: %d, want %d", test[0], test[1], got, test[2])
		}
	}
}

func TestProcessState(t *testing.T) {
	state, start, err := processState(os.Getpid())
	if err != nil || state == 0 || start == 0 {
		t.Errorf("%c %d %v", state, start, err)
	}
	if state, _, err := processState(1 << 30); err != nil || state != 0 {
		t.Errorf("no process: %c %v", state, err)
	}
}

// TestLive reads from this process.
func TestLive(t *testing.T) {
	var l live
	if ids := l.ids(os.Getpid(), os.Getpid()); ids == nil || int(ids.UID) != os.Geteuid() {
		t.Errorf("%+v", ids)
	}
	if l.ids(1<<30, 1<<30) != nil || l.program(1<<30, "").privileged != Unknown || l.read(1<<30, base, make([]byte, 1)) {
		t.Error("answers about a process that does not exist")
	}
	if path, ok := l.link(os.Getpid(), "exe"); !ok || !strings.HasPrefix(path, "/") {
		t.Errorf("%q", path)
	}
	if p := l.program(os.Getpid(), ""); p.path == "" || p.privileged != No {
		t.Errorf("%+v", p)
	}
	if l.read(os.Getpid(), 0, make([]byte, 8)) || l.read(os.Getpid(), 8, nil) {
		t.Error("read from address 0")
	}
}
