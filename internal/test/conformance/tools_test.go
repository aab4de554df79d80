package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"caprun/cap"
	"caprun/internal/test/load"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// tool returns the output of a program, and whether it succeeded.
func tool(t *testing.T, path string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.Command(path, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(out), "\n"), err == nil
}

// TestDecode compares the names in "capsh --decode".
func TestDecode(t *testing.T) {
	capsh := requires.Tool(t, "capsh")
	r := rand.New(rand.NewPCG(number(t, seedVariable, 1), 10))
	masks := []uint64{0, 1, 1<<cap.NamedCount - 1, 1 << 41, 1 << 63}
	for range 30 {
		masks = append(masks, randomBits(r))
	}
	for _, mask := range masks {
		var names []string
		for v := range cap.Value(64) {
			if mask>>v&1 != 0 {
				names = append(names, v.String())
			}
		}
		want := fmt.Sprintf("0x%016x=%s", mask, strings.Join(names, ","))
		if got, ok := tool(t, capsh, "--decode="+strconv.FormatUint(mask, 16)); got != want || !ok {
			t.Errorf("capsh says %s, ours %s", got, want)
		}
	}
}

// TestSetcap sets a file's capabilities from the same text with setcap and ours, and
// reads them with getcap and ours. The C library's "=" resets only the values that
// are named with it, which is documented, so only the first clause may have one here.
// setcap refuses an effective flag that is neither all nor none of the others, which
// no file can have.
func TestSetcap(t *testing.T) {
	requires.Root(t)
	setcap, getcap := requires.Tool(t, "setcap"), requires.Tool(t, "getcap")
	path := executable(t)
	for _, c := range []struct {
		text  string
		owner int
	}{
		{"cap_net_raw=p", 0}, {"cap_net_raw=ep", 0}, {"cap_net_raw+ep", 0}, {"cap_kill,cap_net_raw=eip", 0},
		{"cap_net_raw=i", 0}, {"cap_net_raw=ei", 0}, {"=", 0}, {"=p", 0}, {"=ep", 0}, {"all=ip", 0}, {"all+p", 0},
		{"=p cap_kill-p", 0}, {"all=eip cap_sys_admin-eip", 0}, {"= cap_chown+p cap_kill+p", 0},
		{"10,cap_kill=p", 0}, {"cap_bpf=pi-i", 0}, {"cap_bpf+p+i-i", 0}, {"cap_chown=p  cap_kill+p\tcap_bpf+i", 0},
		{"all=ep 0,1,2-ep", 0}, {"cap_checkpoint_restore=eip", 0},
		{"cap_bpf=p", 1000}, {"=ep", 100000}, {"cap_kill,cap_bpf=i", 1},
	} {
		args := []string{"-n", strconv.Itoa(c.owner), c.text, path}
		if c.owner == 0 {
			args = args[2:]
		}
		if out, ok := tool(t, setcap, args...); !ok {
			t.Errorf("setcap refuses %q: %s", c.text, out)
			continue
		}
		theirs, err := stored(path)
		if err != nil {
			t.Fatal(err)
		}
		read, err := cap.GetFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner, err := read.GetNSOwner(); owner != c.owner || err != nil {
			t.Errorf("of what setcap -n %d writes we read the owner %d, %v", c.owner, owner, err)
		}
		set, err := cap.FromText(c.text)
		if err != nil {
			t.Fatal(err)
		}
		set.SetNSOwner(c.owner)
		if err := set.SetFile(path); err != nil {
			t.Fatal(err)
		}
		ours, err := stored(path)
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%q of %d: setcap writes %x, we %x, %v", c.text, c.owner, theirs, ours, err)
		}
		want := path + " " + read.String()
		if c.owner != 0 {
			want += fmt.Sprintf(" [rootid=%d]", c.owner)
		}
		if got, _ := tool(t, getcap, "-n", path); got != want {
			t.Errorf("getcap says %q, ours %q", got, want)
		}
	}
	if out, ok := tool(t, setcap, "-r", path); !ok {
		t.Fatal(out)
	}
	if _, err := cap.GetFile(path); !errors.Is(err, syscall.ENODATA) {
		t.Errorf("after setcap -r: %v", err)
	}
	if err := unix.Setxattr(path, attribute, make2(1, 0), 0); err != nil {
		t.Fatal(err)
	}
	if err := (*cap.Set)(nil).SetFile(path); err != nil {
		t.Fatal(err)
	}
	if got, _ := tool(t, getcap, path); got != "" {
		t.Errorf("after we have removed them, getcap says %q", got)
	}
}

// launchings start a program with less than full privilege.
func launchings() map[string]func(*cap.Launcher) error {
	tuple := func(text string) func(*cap.Launcher) error {
		return func(l *cap.Launcher) error {
			iab, err := cap.IABFromText(text)
			l.SetIAB(iab)
			return err
		}
	}
	user := func(l *cap.Launcher) error {
		l.SetGroups(1000, nil)
		l.SetUID(1000)
		return nil
	}
	all := func(parts ...func(*cap.Launcher) error) func(*cap.Launcher) error {
		return func(l *cap.Launcher) error {
			for _, part := range parts {
				if err := part(l); err != nil {
					return err
				}
			}
			return nil
		}
	}
	mode := func(m cap.Mode) func(*cap.Launcher) error {
		return func(l *cap.Launcher) error { l.SetMode(m); return nil }
	}
	return map[string]func(*cap.Launcher) error{
		"as it is":       all(),
		"user":           user,
		"ambient":        all(user, tuple("^cap_kill,^cap_bpf,cap_chown")),
		"blocked":        tuple("!cap_kill,!cap_sys_admin,!%cap_chown"),
		"user, blocked":  all(user, tuple("^cap_kill,!cap_sys_admin,!^cap_chown")),
		"PURE1E":         all(mode(cap.ModePure1E), tuple("cap_kill")),
		"PURE1E_INIT":    mode(cap.ModePure1EInit),
		"NOPRIV":         all(user, mode(cap.ModeNoPriv)),
		"no_new_privs":   func(l *cap.Launcher) error { l.SetNoNewPrivs(); return nil },
		"many inherited": tuple("cap_kill,cap_chown,cap_bpf,cap_setuid,^cap_net_raw,^cap_fowner"),
	}
}

// launch starts a program with our Launcher, with its output in a pipe.
func launch(t *testing.T, setting func(*cap.Launcher) error, path string, args ...string) (pid int, output *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	l := cap.NewLauncher(path, append([]string{filepath.Base(path)}, args...), nil)
	l.Callback(func(pa *syscall.ProcAttr, _ any) error {
		pa.Files = []uintptr{0, w.Fd(), w.Fd()}
		return nil
	})
	if err := setting(l); err != nil {
		t.Fatal(err)
	}
	if pid, err = l.Launch(nil); err != nil {
		t.Fatal(err)
	}
	return pid, r
}

// launched runs a program to its end.
func launched(t *testing.T, setting func(*cap.Launcher) error, path string, args ...string) (string, bool) {
	t.Helper()
	pid, r := launch(t, setting, path, args...)
	defer r.Close()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(out), "\n"), status.ExitStatus() == 0
}

// TestProcesses compares getpcaps, capsh and ours for the same processes.
func TestProcesses(t *testing.T) {
	requires.Root(t)
	getpcaps, capsh, sleep := requires.Tool(t, "getpcaps"), requires.Tool(t, "capsh"), requires.Tool(t, "sleep")
	for name, setting := range launchings() {
		t.Run(name, func(t *testing.T) {
			pid, r := launch(t, setting, sleep, "60")
			defer r.Close()
			defer syscall.Wait4(pid, nil, 0, nil)
			defer syscall.Kill(pid, syscall.SIGKILL)

			if err := load.AwaitSleep(pid, filepath.Base(sleep)); err != nil {
				t.Fatal(err)
			}
			set, err := cap.GetPID(pid)
			if err != nil {
				t.Fatal(err)
			}
			iab, err := cap.IABGetPID(pid)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := tool(t, getpcaps, strconv.Itoa(pid)); got != fmt.Sprintf("%d: %v", pid, set) {
				t.Errorf("getpcaps says %q, ours %q", got, set)
			}
			both := fmt.Sprintf("%d: \"%v\" [%v]", pid, set, iab)
			if set.String() == "=" {
				// It omits the empty set.
				both = fmt.Sprintf("%d: [%v]", pid, iab)
			}
			if got, _ := tool(t, getpcaps, "--iab", strconv.Itoa(pid)); got != both {
				t.Errorf("getpcaps --iab says %s, ours %s", got, both)
			}
			theirs, err := upstream.GetPID(pid)
			if err != nil || theirs.String() != set.String() {
				t.Errorf("upstream says %v, %v, ours %v", theirs, err, set)
			}
			theirTuple, err := upstream.IABGetPID(pid)
			if err != nil || theirTuple.String() != iab.String() {
				t.Errorf("upstream says %v, %v, ours %v", theirTuple, err, iab)
			}
			compareProcRoot(t, pid, iab)

			// capsh about itself, started in the same way.
			want := fmt.Sprintf("Current: %v\nCurrent IAB: %v", set, iab)
			if got, _ := launched(t, setting, capsh, "--current"); got != want {
				t.Errorf("capsh says\n%s\nours\n%s", got, want)
			}
			for _, v := range []cap.Value{cap.KILL, cap.CHOWN, cap.BPF, cap.SYS_ADMIN} {
				for option, has := range map[string]bool{
					"p": flag(t, set, cap.Permitted, v), "i": vector(t, iab, cap.Inh, v),
					"a": vector(t, iab, cap.Amb, v), "b": !vector(t, iab, cap.Bound, v),
				} {
					if out, ok := launched(t, setting, capsh, "--has-"+option+"="+v.String()); ok != has {
						t.Errorf("capsh --has-%s=%v: %v %s, ours %v", option, v, ok, out, has)
					}
				}
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				t.Fatal(err)
			}
			if out, ok := launched(t, setting, capsh, "--has-no-new-privs"); ok != strings.Contains(string(status), "NoNewPrivs:\t1") {
				t.Errorf("capsh --has-no-new-privs: %v %s", ok, out)
			}
		})
	}
}

func flag(t *testing.T, c *cap.Set, f cap.Flag, v cap.Value) bool {
	t.Helper()
	on, err := c.GetFlag(f, v)
	if err != nil {
		t.Fatal(err)
	}
	return on
}

func vector(t *testing.T, iab *cap.IAB, vec cap.Vector, v cap.Value) bool {
	t.Helper()
	on, err := iab.GetVector(vec, v)
	if err != nil {
		t.Fatal(err)
	}
	return on
}

// compareProcRoot makes both packages read a status file in another directory.
func compareProcRoot(t *testing.T, pid int, want *cap.IAB) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "7", "status"), status, 0o644); err != nil {
		t.Fatal(err)
	}
	if a, b := cap.ProcRoot(root), upstream.ProcRoot(root); a != b {
		t.Errorf("ProcRoot was %q, theirs %q", a, b)
	}
	defer cap.ProcRoot("/proc")
	defer upstream.ProcRoot("/proc")
	if a, b := cap.ProcRoot(""), upstream.ProcRoot(""); a != b || a != root {
		t.Errorf("ProcRoot is %q, theirs %q, not %q", a, b, root)
	}
	ours, err := cap.IABGetPID(7)
	if err != nil || ours.String() != want.String() {
		t.Errorf("from %s we read %v, %v, not %v", root, ours, err, want)
	}
	theirs, err := upstream.IABGetPID(7)
	if err != nil || theirs.String() != want.String() {
		t.Errorf("from %s they read %v, %v, not %v", root, theirs, err, want)
	}
	_, oErr := cap.IABGetPID(8)
	_, uErr := upstream.IABGetPID(8)
	if errorKind(oErr) != errorKind(uErr) {
		t.Errorf("of no process ours says %v, theirs %v", oErr, uErr)
	}
}

// TestTupleText has capsh apply the text of a tuple and print its sets. Ours reads
// the text too, and starts capsh with it.
func TestTupleText(t *testing.T) {
	requires.Root(t)
	capsh := requires.Tool(t, "capsh")
	r := rand.New(rand.NewPCG(number(t, seedVariable, 1), 11))
	own := cap.IABGetProc()
	for range 25 {
		var fields []string
		for range r.IntN(6) {
			v := cap.Value(r.IntN(cap.NamedCount))
			// A capability that this process cannot have cannot be ambient.
			if vector(t, own, cap.Bound, v) {
				continue
			}
			fields = append(fields, pick(r, "", "%", "^", "!", "!%", "%!", "^!", "!^%")+v.String())
		}
		text := strings.Join(fields, ",")
		theirs, ok := tool(t, capsh, "--iab="+text, "--current")
		if !ok {
			t.Errorf("capsh refuses %q: %s", text, theirs)
			continue
		}
		ours, _ := launched(t, func(l *cap.Launcher) error {
			iab, err := cap.IABFromText(text)
			l.SetIAB(iab)
			return err
		}, capsh, "--current")
		_, theirTuple, _ := strings.Cut(theirs, "IAB: ")
		_, ourTuple, _ := strings.Cut(ours, "IAB: ")
		if ourTuple != theirTuple {
			t.Errorf("%q: capsh says %q, ours %q", text, theirTuple, ourTuple)
		}
	}
}
