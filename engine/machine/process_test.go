package machine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"caprun/engine/cred"
)

// statusText is a status file of Linux 6.18, shortened.
const statusText = "Name:\tweb\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t70\nNgid:\t0\nPid:\t71\nPPid:\t1\nTracerPid:\t0\n" +
	"Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t4294967294\nFDSize:\t64\nGroups:\t9 8 8 \nNStgid:\t70\nKthread:\t0\nVmPeak:\t    1024 kB\n" +
	"CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\nCapEff:\t0000000000000004\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000010\n" +
	"NoNewPrivs:\t1\nSeccomp:\t0\nvoluntary_ctxt_switches:\t11\nnonvoluntary_ctxt_switches:\t12\n"

// TestParseStatus parses a valid file, and files with one change, which must fail.
func TestParseStatus(t *testing.T) {
	s, err := parseStatus([]byte(statusText))
	if err != nil {
		t.Fatal(err)
	}
	want := cred.Cred{
		UID: 1, EUID: 2, SUID: 3, FSUID: 4, GID: 5, EGID: 6, SGID: 7, FSGID: 4294967294, Groups: []uint32{8, 8, 9},
		Inheritable: 1, Permitted: 2, Effective: 4, Bounding: cred.FirstCaps(41), Ambient: 16, NoNewPrivs: true, All: s.cred.All,
	}
	if diff := s.cred.Diff(want); diff != nil || s.name != "web" || s.tgid != 70 || s.pid != 71 || s.state != 'S' || s.switches != [2]uint64{11, 12} {
		t.Errorf("%v: %+v", diff, s)
	}
	none := strings.Replace(statusText, "9 8 8 ", " ", 1)
	if s, err := parseStatus([]byte(none)); err != nil || s.cred.Groups != nil {
		t.Errorf("no groups: %v %v", s.cred.Groups, err)
	}
	for name, want := range map[string]string{`a\nUid:\t0`: "a\nUid:\\t0", `a\\n`: `a\n`, `\\\\`: `\\`, "": "", "Uid:\t0": "Uid:\t0"} {
		s, err := parseStatus([]byte(strings.Replace(statusText, "web", name, 1)))
		if err != nil || s.name != want {
			t.Errorf("%q: %q %v", name, s.name, err)
		}
	}

	for _, change := range [][2]string{
		{"Name:\tweb\n", ""},
		{"Name:\tweb\n", "Name:\tweb\nUid:\t0\t0\t0\t0\n"},
		{"Uid:\t1\t2\t3\t4\n", ""},
		{"Uid:\t1\t2\t3\t4\n", "Uid:\t1\t2\t3\t4\nUid:\t1\t2\t3\t4\n"},
		{"\t1\t2\t3\t4", "\t1\t2\t3"},
		{"\t1\t2\t3\t4", "\t1\t2\t3\t4\t5"},
		{"\t1\t2\t3\t4", "\t1\t2\t3\t"},
		{"\t1\t2\t3\t4", "\t1\t2\t3\t-4"},
		{"\t1\t2\t3\t4", "\t1\t2\t3\t4294967296"},
		{"9 8 8", "9 x 8"},
		{"State:\tS", "State:\t\nX"},
		{"Tgid:\t70", "Tgid:\tx"},
		{"Pid:\t71", "Pid:\t"},
		{"0000000000000001", "000000000000001"},
		{"0000000000000001", "000000000000000g"},
		{"0000000000000001", "+000000000000001"},
		{"CapAmb:", "CapXmb:"},
		{"NoNewPrivs:\t1", "NoNewPrivs:\t2"},
		{"switches:\t11", "switches:\t-1"},
		{"nonvoluntary", "x"},
	} {
		text := strings.Replace(statusText, change[0], change[1], 1)
		if s, err := parseStatus([]byte(text)); text == statusText || err == nil {
			t.Errorf("%q instead of %q is parsed as %+v", change[1], change[0], s)
		}
	}
	for n := range len(statusText) - 3 {
		if _, err := parseStatus([]byte(statusText[:n])); err == nil {
			t.Errorf("the first %d bytes are parsed", n)
		}
	}
}

// FuzzParseStatus checks that no content of a status or stat file panics.
func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(statusText))
	f.Add([]byte("1 (a) b) S 1 1 1 0 -1 2097152 0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseStatus(data)
		if err == nil && s.cred.Groups != nil && len(s.cred.Groups) > len(data) {
			t.Error("more groups than bytes")
		}
		_, _ = kernelThread(data)
	})
}

// TestKernelThread parses stat files, also with a name that looks like the fields.
func TestKernelThread(t *testing.T) {
	for text, want := range map[string]string{
		"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0":                  "true <nil>",
		"9 (web) S 1 9 9 0 -1 4194560 0 0":                       "false <nil>",
		"9 (a) S 0 0 0 0 -1 2129984 0 () S 1 9 9 0 -1 4194560 0": "false <nil>",
	} {
		if kernel, err := kernelThread([]byte(text)); fmt.Sprint(kernel, err) != want {
			t.Errorf("%s: %v %v", text, kernel, err)
		}
	}
	for _, text := range []string{"", "9 web", "9 (web)", "9 (web) S 1 9 9 0 -1", "9 (web) S 1 9 9 0 -1 x"} {
		if _, err := kernelThread([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// TestStableStatus defines the reads as text: a digit stands for credentials, a small letter
// before it for a thread asleep since another context switch, R for one that runs.
func TestStableStatus(t *testing.T) {
	same := strings.Repeat
	for _, c := range []struct {
		reads string
		used  int // 0 if the reads do not agree
	}{
		{"a1a1a1", 3},
		{"a1b1b1b1", 4},
		{"a1a2a1a2a2a2", 6},
		{"a1a1R1a1a1a1", 6},
		{"a1b1c1d1e1f1g1h1i1j1k1l1m1n1o1p1", 16},
		{same("R1", 16), 16},
		{same("R1", 15) + same("R2", 16), 31},
		{same("R1R2", maxReads/2), 0},
		{same("a1b1c2", maxReads/3) + "a1b1", 0},
	} {
		used := 0
		_, err := stableStatus(func() (threadStatus, error) {
			s := threadStatus{state: 'S', switches: [2]uint64{0, uint64(c.reads[2*used])}}
			if c.reads[2*used] == 'R' {
				s.state = 'R'
			}
			s.cred.UID = uint32(c.reads[2*used+1])
			used++
			return s, nil
		})
		if c.used == 0 && !errors.Is(err, ErrProcessChanging) || c.used != 0 && (err != nil || used != c.used) {
			t.Errorf("%.40s: %v after %d reads, want %d", c.reads, err, used, c.used)
		}
	}
	if _, err := stableStatus(func() (threadStatus, error) { return threadStatus{}, ErrNoProc }); !errors.Is(err, ErrNoProc) {
		t.Errorf("an error becomes %v", err)
	}
}

// threadsIn returns a process whose threads have uids: pairs are thread IDs and uids.
func threadsIn(t *testing.T, pairs ...int) *Process {
	t.Helper()
	p := &Process{}
	for n := 0; n < len(pairs); n += 2 {
		if err := p.add(pairs[n], ProcessState{Cred: cred.Cred{UID: uint32(pairs[n+1])}}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// TestProcessStates groups threads by their states.
func TestProcessStates(t *testing.T) {
	p := threadsIn(t, 3, 1, 4, 2, 5, 3, 7, 1, 9, 1)
	for tid, text := range []string{"one", "two"} {
		if err := p.add(10+tid, ProcessState{Cred: cred.Cred{UID: 1}, RootErr: errors.New(text)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, s := range p.States {
		got = append(got, fmt.Sprint(s.Cred.UID, s.Threads))
	}
	if text := strings.Join(got, " "); text != "1 [3 7 9] 2 [4] 3 [5] 1 [10 11]" {
		t.Errorf("the states are %s", text)
	}
	for n := range maxStates + 10 {
		if err := p.add(n, ProcessState{Cred: cred.Cred{UID: uint32(n) + 100}}); err != nil {
			if len(p.States) != maxStates {
				t.Errorf("%v with %d states", err, len(p.States))
			}
			return
		}
	}
	t.Errorf("%d states", len(p.States))
}

// TestProcessAgrees compares two passes over threads.
func TestProcessAgrees(t *testing.T) {
	first := threadsIn(t, 1, 1, 2, 1, 3, 2)
	for _, c := range []struct {
		then  []int
		agree bool
	}{
		{[]int{1, 1, 2, 1, 3, 2}, true},
		{[]int{1, 1, 3, 2}, true},
		{[]int{1, 1, 4, 1, 5, 2}, true},
		{[]int{1, 1, 2, 1}, false},
		{[]int{1, 1, 2, 1, 3, 2, 4, 3}, false},
		{[]int{1, 1, 2, 2, 3, 2}, false},
		{[]int{1, 2, 2, 2, 3, 1}, false},
		{[]int{1, 1, 2, 1, 3, 3}, false},
	} {
		if got := first.agrees(threadsIn(t, c.then...)); got != c.agree {
			t.Errorf("then %v: %v", c.then, got)
		}
	}
	other := threadsIn(t, 1, 1, 2, 1, 3, 2)
	other.UserNS = NamespaceOther
	if first.agrees(other) {
		t.Error("another user namespace agrees")
	}
}

// TestUnmapped checks which fields have unmapped IDs.
func TestUnmapped(t *testing.T) {
	const over = cred.OverflowID
	nobody := cred.Cred{SUID: over, FSGID: over, Groups: []uint32{7, over}}
	one := []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}}
	many := []cred.Extent{{Inside: 0, Outside: 100000, Count: 65536}}
	for _, c := range []struct {
		ns   cred.UserNS
		c    cred.Cred
		want string
	}{
		{cred.UserNS{}, nobody, "[]"},
		{cred.UserNS{Nested: true, UIDs: many, GIDs: many}, nobody, "[]"},
		{cred.UserNS{Nested: true, UIDs: one, GIDs: one}, nobody, "[uid gid groups]"},
		{cred.UserNS{Nested: true}, nobody, "[uid gid groups]"},
		{cred.UserNS{Nested: true, UIDs: many, GIDs: one}, nobody, "[gid groups]"},
		{cred.UserNS{Nested: true, UIDs: one, GIDs: many}, nobody, "[uid]"},
		{cred.UserNS{Nested: true, UIDs: one, GIDs: one}, cred.Cred{}, "[]"},
	} {
		if got := fmt.Sprint(unmapped(c.ns, c.c)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.ns, got, c.want)
		}
	}
}
