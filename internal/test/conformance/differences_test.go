package conformance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"caprun/cap"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// outcome is the error of a call, or a panic.
func outcome(call func() error) (text string) {
	defer func() {
		if recover() != nil {
			text = "panic"
		}
	}()
	if err := call(); err != nil {
		return err.Error()
	}
	return "no error"
}

// TestKnownDifferences has the rows of the table in package cap that a single call
// can show.
func TestKnownDifferences(t *testing.T) {
	tuple := func(text string) (*cap.IAB, *upstream.IAB) {
		o, oErr := cap.IABFromText(text)
		u, uErr := upstream.IABFromText(text)
		if oErr != nil || uErr != nil {
			t.Fatal(oErr, uErr)
		}
		return o, u
	}
	var none *cap.Set
	var theirNone *upstream.Set
	oBlocked, uBlocked := cap.NewIAB(), upstream.NewIAB()
	oHalf, uHalf := cap.NewIAB(), upstream.NewIAB()
	oHidden, uHidden := tuple("63")
	for _, c := range []struct {
		name                string
		ours, theirs        func() error
		wantOurs, wantTheir string
	}{
		{"GetFlag of 64", func() error { _, err := cap.NewSet().GetFlag(cap.Permitted, 64); return err },
			func() error { _, err := upstream.NewSet().GetFlag(upstream.Permitted, 64); return err }, "bad capability value", "panic"},
		{"SetFlag of a bad flag", func() error { return cap.NewSet().SetFlag(7, true, 1) }, func() error { return upstream.NewSet().SetFlag(7, true, 1) }, "bad capability value", "panic"},
		{"IAB.Fill of a bad flag", func() error { return cap.NewIAB().Fill(cap.Inh, cap.NewSet(), 7) },
			func() error { return upstream.NewIAB().Fill(upstream.Inh, upstream.NewSet(), 7) }, "bad capability value", "panic"},
		{"GetNSOwner of nil", func() error { _, err := none.GetNSOwner(); return err }, func() error { _, err := theirNone.GetNSOwner(); return err }, "bad capability set", "panic"},
		{"SetNSOwner of nil", func() error { none.SetNSOwner(1); return nil }, func() error { theirNone.SetNSOwner(1); return nil }, "no error", "panic"},
		{"IAB.Fill of Bound", func() error { return oBlocked.Fill(cap.Bound, cap.NewSet(), cap.Permitted) },
			func() error { return uBlocked.Fill(upstream.Bound, upstream.NewSet(), upstream.Permitted) }, "no error", "no error"},
		{"IAB.SetVector, half", func() error { return oHalf.SetVector(cap.Inh, true, 5, 99) }, func() error { return uHalf.SetVector(upstream.Inh, true, 5, 99) },
			"bad capability value", "bad capability value"},
		{"IAB.SetVector, bad and empty", func() error { return oHalf.SetVector(9, true) }, func() error { return uHalf.SetVector(9, true) }, "bad capability value", "no error"},
		{"IAB.GetVector of 63", func() error { _, err := oHidden.GetVector(cap.Inh, 63); return err }, func() error { _, err := uHidden.GetVector(upstream.Inh, 63); return err },
			"no error", "bad capability value"},
	} {
		if got := outcome(c.ours); got != c.wantOurs {
			t.Errorf("%s: ours gives %s, not %s", c.name, got, c.wantOurs)
		}
		if got := outcome(c.theirs); got != c.wantTheir {
			t.Errorf("%s: theirs gives %s, not %s", c.name, got, c.wantTheir)
		}
	}
	// Theirs differs from the text that it prints.
	oAgain, _ := tuple(oBlocked.String())
	_, uAgain := tuple(uBlocked.String())
	oDiff, oErr := oBlocked.Cf(oAgain)
	uDiff, uErr := uBlocked.Cf(uAgain)
	if oDiff != 0 || uDiff == 0 || oErr != nil || uErr != nil {
		t.Errorf("a filled tuple, printed and read: ours differs by %d, %v, theirs by %d, %v", oDiff, oErr, uDiff, uErr)
	}
	if oHalf.String() != "" || uHalf.String() != "cap_kill" {
		t.Errorf("after an error ours is %q, theirs %q", oHalf, uHalf)
	}
}

// wideIDs prints the result for IDs that are too wide.
func wideIDs() {
	fmt.Println(cap.SetUID(1<<32+1000) == syscall.EINVAL, cap.SetGroups(1<<32+1000) == syscall.EINVAL)
	fmt.Println(upstream.SetGroups(1<<32+1000), upstream.SetUID(1<<32+1000), syscall.Getuid(), syscall.Getgid())
}

func TestWideIDs(t *testing.T) {
	requires.Root(t)
	if strconv.IntSize < 64 {
		return // An int cannot be too wide.
	}
	const want = "true true\n<nil> <nil> 1000 1000\n"
	if got := reexec.Run(t, "wide ids", nil); got.Stdout != want {
		t.Errorf("got %s%s, want %s", got.Stdout, got.Stderr, want)
	}
}

// TestLaunchDifferences has the rows about Launchers, except those in which a call
// does not return.
func TestLaunchDifferences(t *testing.T) {
	requires.Root(t)
	// An empty environment, and a callback that sets pa.Sys, which loses the chroot.
	root := t.TempDir()
	for _, c := range []struct {
		name   string
		chroot bool
	}{{"an empty environment", false}, {"a callback that sets pa.Sys", true}} {
		out := filepath.Join(t.TempDir(), "out")
		script := []string{"sh", "-c", "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= >" + out + "; true"}
		if c.chroot {
			script[2] = "echo outside >" + out
		}
		o, u := cap.NewLauncher("/bin/sh", script, []string{}), upstream.NewLauncher("/bin/sh", script, []string{})
		if c.chroot {
			o.SetChroot(root)
			u.SetChroot(root)
			sys := func(pa *syscall.ProcAttr, _ any) error { pa.Sys = &syscall.SysProcAttr{}; return nil }
			o.Callback(sys)
			u.Callback(sys)
		}
		for side, l := range map[string]interface{ Launch(any) (int, error) }{"ours": o, "theirs": u} {
			if err := os.WriteFile(out, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			pid, err := l.Launch(nil)
			if err == nil {
				_, err = syscall.Wait4(pid, nil, 0, nil)
			}
			if err != nil && !(side == "ours" && c.chroot && errors.Is(err, syscall.ENOENT)) {
				t.Errorf("%s, %s: %v", c.name, side, err)
			}
			text, err := os.ReadFile(out)
			if shows := len(text) != 0; shows != (side == "theirs") || err != nil {
				t.Errorf("%s, %s: it writes %q, %v", c.name, side, text, err)
			}
		}
	}

	// A mode and a tuple that contradict each other.
	for _, c := range []struct {
		mode       uint
		text       string
		theirError bool
	}{{uint(cap.ModePure1E), "^cap_kill", true}, {uint(cap.ModePure1EInit), "cap_kill", false}, {uint(cap.ModeNoPriv), "^cap_kill", true}} {
		o, u := cap.NewLauncher("/bin/true", []string{"true"}, nil), upstream.NewLauncher("/bin/true", []string{"true"}, nil)
		o.SetMode(cap.Mode(c.mode))
		u.SetMode(upstream.Mode(c.mode))
		oTuple, oErr := cap.IABFromText(c.text)
		uTuple, uErr := upstream.IABFromText(c.text)
		if oErr != nil || uErr != nil {
			t.Fatal(oErr, uErr)
		}
		o.SetIAB(oTuple)
		u.SetIAB(uTuple)
		if _, err := o.Launch(nil); !errors.Is(err, cap.ErrBadMode) {
			t.Errorf("%v with %q: ours gives %v", cap.Mode(c.mode), c.text, err)
		}
		pid, err := u.Launch(nil)
		if (err != nil) != c.theirError {
			t.Errorf("%v with %q: theirs gives %v", cap.Mode(c.mode), c.text, err)
		}
		if err == nil {
			syscall.Wait4(pid, nil, 0, nil)
		}
	}
}
