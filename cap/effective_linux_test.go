package cap

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/ids"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// effectiveRoles test the functions that raise a capability temporarily.
var effectiveRoles = reexec.Roles{"effective": effective}

const effectiveVariable = "CAP_TEST_EFFECTIVE"

// without removes one capability; the others stay effective.
func without(val Value) func() error {
	return func() error {
		c := GetProc()
		return errors.Join(c.SetFlag(Effective, false, val), c.SetFlag(Permitted, false, val), c.SetProc())
	}
}

// locked sets securebits, and does not change the effective set.
func locked(bits Secbits) func() error {
	return func() error {
		_, err := Prctlw(unix.PR_SET_SECUREBITS, uintptr(bits))
		return err
	}
}

// lowered makes one capability permitted but not effective, so that the effective set
// is neither empty nor full.
func lowered(val Value) func() error {
	return func() error {
		c := GetProc()
		return errors.Join(c.SetFlag(Effective, false, val), c.SetProc())
	}
}

// effectiveCases are functions and the effective set after each, which is not empty
// before. restored is the effective set before the call.
var effectiveCases = []struct {
	name     string
	before   func() error
	call     func() error
	want     error
	restored bool
}{
	{"SetUID", nil, func() error { return SetUID(1000) }, nil, false},
	{"SetUID without the capability", without(SETUID), func() error { return SetUID(1000) }, syscall.EPERM, false},
	{"SetUID of no uid", nil, func() error { return SetUID(-1) }, syscall.EINVAL, false},
	{"SetUID with keep-caps locked", locked(SecbitKeepCapsLocked), func() error { return SetUID(1000) }, syscall.EPERM, false},

	{"SetGroups", nil, func() error { return SetGroups(1000, 7) }, nil, false},
	{"SetGroups without the capability", without(SETGID), func() error { return SetGroups(1000) }, syscall.EPERM, false},
	{"SetGroups of no gid", nil, func() error { return SetGroups(-1) }, syscall.EINVAL, false},
	{"SetGroups of no supplementary gid", nil, func() error { return SetGroups(1000, 7, -1) }, syscall.EINVAL, false},
	{"SetGroups of too many", nil, func() error { return SetGroups(1000, make([]int, ids.MaxGroups+1)...) }, syscall.EINVAL, false},

	{"Mode.Set", nil, func() error { return ModePure1E.Set() }, nil, false},
	{"Mode.Set of the lasting one", nil, func() error { return ModeNoPriv.Set() }, nil, false},
	{"Mode.Set without the capability", without(SETPCAP), func() error { return ModePure1E.Set() }, syscall.EPERM, false},
	{"Mode.Set of no mode", nil, func() error { return Mode(9).Set() }, ErrBadMode, false},
	{"Mode.Set against a lock", locked(SecbitNoRootLocked), func() error { return ModePure1E.Set() }, syscall.EPERM, false},

	{"Secbits.Set", nil, func() error { return SecbitNoRoot.Set() }, nil, false},
	{"Secbits.Set without the capability", without(SETPCAP), func() error { return SecbitNoRoot.Set() }, syscall.EPERM, false},
	{"Secbits.Set against a lock", locked(SecbitNoRootLocked), func() error { return SecbitNoRoot.Set() }, syscall.EPERM, false},
	{"Secbits.Set of no bit", nil, func() error { return Secbits(1 << 20).Set() }, syscall.EPERM, false},

	{"IAB.SetProc", nil, func() error { return iabOf(1<<KILL, 1<<KILL, 1<<CHOWN).SetProc() }, nil, true},
	{"IAB.SetProc that raises", lowered(SETPCAP), func() error { return iabOf(0, 0, 1<<CHOWN).SetProc() }, nil, true},
	{"IAB.SetProc without the capability", without(SETPCAP), func() error { return iabOf(0, 0, 1<<CHOWN).SetProc() }, syscall.EPERM, true},
	{"IAB.SetProc against a lock", locked(SecbitNoCapAmbientRaise), func() error { return iabOf(1<<KILL, 1<<KILL, 1<<CHOWN).SetProc() }, syscall.EPERM, true},
	{"IAB.SetProc that raises, against a lock", func() error {
		return errors.Join(locked(SecbitNoCapAmbientRaise)(), lowered(SETPCAP)())
	}, func() error { return iabOf(1<<KILL, 1<<KILL, 1<<CHOWN).SetProc() }, syscall.EPERM, true},
	{"IAB.SetProc of an unknown one", nil, func() error { return iabOf(1<<63, 0, 0).SetProc() }, ErrBadValue, true},
}

// effective runs one case and prints the differences.
func effective() {
	watch()
	for _, c := range effectiveCases {
		if c.name != os.Getenv(effectiveVariable) {
			continue
		}
		if c.before != nil {
			try(c.before())
		}
		before, _, _, err := capget(0)
		try(err)
		if before == 0 {
			fmt.Println("nothing was effective to begin with")
		}
		if err := c.call(); err != c.want {
			fmt.Printf("the error is %v, want %v\n", err, c.want)
		}
		want := Mask(0)
		if c.restored {
			want = before
		}
		if after, _, _, err := capget(0); err != nil || after != want {
			fmt.Printf("effective are %v, want %v; %v\n", after, want, err)
		}
		if on, err := Prctl(unix.PR_GET_KEEPCAPS, 0, 0, 0, 0); err != nil || on != 0 {
			fmt.Printf("keep-caps is %d, %v\n", on, err)
		}
		try(sameThreads())
		fmt.Println("done")
	}
}

// TestEffective checks the effective set of all threads after each function that raises
// a capability in it, whether that succeeds or fails.
func TestEffective(t *testing.T) {
	requires.Root(t)
	for _, c := range effectiveCases {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			t.Setenv(effectiveVariable, c.name)
			if r := reexec.Run(t, "effective", nil); r.Stdout != "done\n" {
				t.Errorf("status %d: %s%s", r.Status, r.Stdout, r.Stderr)
			}
		})
	}
}
