package cap

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/ids"
	"caprun/internal/test/requires"
)

// statusFile creates a directory with the status file of process 7, and makes IABGetPID
// use it until the test ends.
func statusFile(t *testing.T, text string) {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "7", "status"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	before := ProcRoot(root)
	t.Cleanup(func() { ProcRoot(before) })
}

// vectorLines returns the lines of a status file that IABGetPID reads.
func vectorLines(inh, amb, bnd string) string {
	return "CapInh:\t" + inh + "\nCapPrm:\t0000000000000001\nCapEff:\t0000000000000001\nCapBnd:\t" + bnd + "\nCapAmb:\t" + amb + "\n"
}

const (
	noBits  = "0000000000000000"
	allBits = "ffffffffffffffff"
)

func TestIABGetPIDReads(t *testing.T) {
	good := vectorLines("0000000000000420", "0000000000000400", allBits)
	for _, c := range []struct{ name, text, want string }{
		{"as the kernel writes it", "Name:\tcat\nGroups:\t7 8 \n" + good + "NoNewPrivs:\t0\n", "cap_kill,^cap_net_bind_service"},
		{"no end of line", strings.TrimSuffix(good, "\n"), "cap_kill,^cap_net_bind_service"},
		{"blocked", vectorLines(noBits, noBits, "ffffffffffffffdf"), "!cap_kill"},
		{"blocked and inheritable", vectorLines("0000000000000020", noBits, "ffffffffffffffdf"), "!%cap_kill"},
		{"more than the kernel has", vectorLines("8000000000000020", "8000000000000000", allBits), "cap_kill"},
		{"nothing", vectorLines(noBits, noBits, allBits), ""},
		{"a name that looks like a vector", "Name:\tCapInh:\t" + allBits + "\n" + good, "cap_kill,^cap_net_bind_service"},
		{"as many groups as there can be", "Groups:\t" + strings.Repeat("4294967294 ", ids.MaxGroups) + "\n" + good, "cap_kill,^cap_net_bind_service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			statusFile(t, c.text)
			got, err := IABGetPID(7)
			if err != nil || got.String() != c.want {
				t.Errorf("got %v, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestIABGetPIDRefuses(t *testing.T) {
	good := vectorLines(noBits, noBits, allBits)
	line := func(key string) string { return key + ":\t" + noBits + "\n" }
	for _, c := range []struct{ name, text string }{
		{"an empty file", ""},
		{"no inheritable set", line("CapAmb") + line("CapBnd")},
		{"no ambient set", line("CapInh") + line("CapBnd")},
		{"no bounding set", line("CapInh") + line("CapAmb")},
		{"nothing after the key", vectorLines("", noBits, allBits)},
		{"a digit too few", vectorLines(noBits[1:], noBits, allBits)},
		{"a digit too many", vectorLines(noBits, "0"+noBits, allBits)},
		{"a sign", vectorLines("+"+noBits[1:], noBits, allBits)},
		{"a prefix", vectorLines("0x"+noBits[2:], noBits, allBits)},
		{"no hexadecimal digit", vectorLines(noBits, noBits, "fffffffffffffffg")},
		{"a space after it", vectorLines(noBits+" ", noBits, allBits)},
		{"spaces for the tab", strings.ReplaceAll(good, "\t", " ")},
		{"lower-case keys", strings.ToLower(good)},
		{"cut in the last line", good[:len(good)-3]},
		{"the vectors after a megabyte of lines", strings.Repeat("Name:\tcat\n", maxStatus/10) + good},
		{"a megabyte without an end of line", strings.Repeat("x", 2*maxStatus) + "\n" + good},
	} {
		t.Run(c.name, func(t *testing.T) {
			statusFile(t, c.text)
			if got, err := IABGetPID(7); !errors.Is(err, ErrBadValue) || got != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// TestIABGetPIDMissing: the status file does not exist, or is a directory.
func TestIABGetPIDMissing(t *testing.T) {
	statusFile(t, vectorLines(noBits, noBits, allBits))
	if err := os.MkdirAll(filepath.Join(ProcRoot(""), "9", "status"), 0o755); err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]error{8: fs.ErrNotExist, 0: fs.ErrNotExist, -7: fs.ErrNotExist, 9: syscall.EISDIR} {
		got, err := IABGetPID(pid)
		var path *fs.PathError
		if got != nil || !errors.As(err, &path) || !errors.Is(err, want) {
			t.Errorf("process %d: %v, %v, want %v", pid, got, err, want)
		}
	}
}

func TestProcRoot(t *testing.T) {
	if got := ProcRoot(""); got != "/proc" {
		t.Fatalf("it begins with %q", got)
	}
	t.Cleanup(func() { ProcRoot("/proc") })
	for _, step := range []struct{ set, want string }{
		{"/one", "/proc"}, {"", "/one"}, {"/two", "/one"}, {"/proc", "/two"}, {"", "/proc"},
	} {
		if got := ProcRoot(step.set); got != step.want {
			t.Errorf("ProcRoot(%q) is %q, want %q", step.set, got, step.want)
		}
	}
	self, err := IABGetPID(os.Getpid())
	if err != nil || self.String() != IABGetProc().String() {
		t.Errorf("of this process: %v, %v, want %v", self, err, IABGetProc())
	}
}

// waiting launches a process, and returns its process ID and a function that ends it.
func waiting(t *testing.T, configure func(*Launcher)) (int, func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	echo, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	l := NewLauncher("/bin/cat", []string{"cat"}, []string{})
	configure(l)
	l.Callback(func(pa *syscall.ProcAttr, _ any) error {
		pa.Files[0], pa.Files[1] = r.Fd(), out.Fd()
		return nil
	})
	pid, err := l.Launch(nil)
	r.Close()
	out.Close()
	if err != nil {
		w.Close()
		t.Fatal(err)
	}
	// Launch returns when exec closes descriptors, and before the new
	// credentials are in force: begin_new_exec (fs/exec.c).
	var b [1]byte
	if _, err := w.Write(b[:]); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(echo, b[:]); err != nil {
		t.Errorf("the program does not answer: %v", err)
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		w.Close()
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			t.Errorf("wait for %d: %v", pid, err)
		}
	}
	t.Cleanup(end)
	return pid, end
}

// TestOtherProcess reads the state of several processes that differ in it.
func TestOtherProcess(t *testing.T) {
	requires.Root(t)
	for _, c := range []struct {
		uid      int
		iab      string
		set, got string
	}{
		{1000, "", "=", ""},
		{1000, "^cap_kill,cap_chown", "cap_kill=eip cap_chown+i", "cap_chown,^cap_kill"},
		{1000, "!cap_chown,!%cap_kill,^cap_net_raw", "cap_net_raw=eip cap_kill+i", "!cap_chown,!%cap_kill,^cap_net_raw"},
	} {
		t.Run(c.iab, func(t *testing.T) {
			iab, err := IABFromText(c.iab)
			if err != nil {
				t.Fatal(err)
			}
			// What this process does not have stays blocked.
			_, _, missing, err := IABGetProc().Masks()
			if err != nil {
				t.Fatal(err)
			}
			want, err := IABFromText(c.got)
			if err != nil {
				t.Fatal(err)
			}
			for v := range MaxBits() {
				if missing&(1<<v) != 0 {
					if err := want.SetVector(Bound, true, v); err != nil {
						t.Fatal(err)
					}
				}
			}
			pid, end := waiting(t, func(l *Launcher) {
				l.SetUID(c.uid)
				l.SetGroups(c.uid, nil)
				l.SetIAB(iab)
			})
			if set, err := GetPID(pid); err != nil || set.String() != c.set {
				t.Errorf("GetPID: %v, %v, want %q", set, err, c.set)
			}
			if got, err := IABGetPID(pid); err != nil || got.String() != want.String() {
				t.Errorf("IABGetPID: %v, %v, want %v", got, err, want)
			}
			end()
			if set, err := GetPID(pid); err != syscall.ESRCH || set != nil {
				t.Errorf("GetPID of an ended process: %v, %v", set, err)
			}
			if got, err := IABGetPID(pid); !errors.Is(err, fs.ErrNotExist) || got != nil {
				t.Errorf("IABGetPID of an ended process: %v, %v", got, err)
			}
		})
	}
}

func TestGetPID(t *testing.T) {
	for _, pid := range []int{0, os.Getpid()} {
		if set, err := GetPID(pid); err != nil || set.String() != GetProc().String() {
			t.Errorf("process %d: %v, %v, want %v", pid, set, err, GetProc())
		}
	}
	// A pid has 32 bits in the kernel: 4294967297 is not 1, nor 4294967296 0.
	for pid, want := range map[int64]error{
		-1: syscall.EINVAL, math.MinInt32: syscall.EINVAL, math.MaxInt32: syscall.ESRCH,
		1 << 32: syscall.ESRCH, 1<<32 + 1: syscall.ESRCH, math.MinInt64: syscall.ESRCH,
	} {
		if int64(int(pid)) != pid {
			continue
		}
		if set, err := GetPID(int(pid)); err != want || set != nil {
			t.Errorf("process %d: %v, %v, want %v", pid, set, err, want)
		}
	}
}
