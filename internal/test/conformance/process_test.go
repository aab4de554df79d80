package conformance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"caprun/cap"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// operation is a call that changes the state of a process, made with both packages in
// separate children.
type operation struct {
	name   string
	ours   func() error
	theirs func() error
}

func both[O, T any](ours func(string) (O, error), theirs func(string) (T, error), text string, apply func(any) error) (func() error, func() error) {
	return func() error {
			v, err := ours(text)
			if err != nil {
				return err
			}
			return apply(v)
		}, func() error {
			v, err := theirs(text)
			if err != nil {
				return err
			}
			return apply(v)
		}
}

type setter interface{ SetProc() error }

func operations() []operation {
	var list []operation
	add := func(name string, ours, theirs func() error) {
		list = append(list, operation{name: name, ours: ours, theirs: theirs})
	}
	setProc := func(v any) error { return v.(setter).SetProc() }
	for _, text := range []string{"=", "cap_kill=p", "cap_kill=ep", "cap_kill=eip", "all=p", "all=i", "cap_setpcap=p cap_kill+i", "cap_sys_resource=p"} {
		o, u := both(cap.FromText, upstream.FromText, text, setProc)
		add("set "+text, o, u)
	}
	for _, text := range []string{"", "cap_kill", "^cap_kill", "!cap_kill", "!%cap_kill", "!^cap_kill", "^cap_kill,!cap_chown,!cap_setpcap", "^cap_sys_resource", "cap_sys_resource", "!cap_sys_resource"} {
		o, u := both(cap.IABFromText, upstream.IABFromText, text, setProc)
		add("iab "+text, o, u)
	}
	for _, uid := range []int{0, 1000, 65534, 100000} {
		add(fmt.Sprint("uid ", uid), func() error { return cap.SetUID(uid) }, func() error { return upstream.SetUID(uid) })
	}
	for _, groups := range [][]int{{0}, {1000}, {1000, 7, 8}, {100000, 100001}} {
		add(fmt.Sprint("groups ", groups), func() error { return cap.SetGroups(groups[0], groups[1:]...) },
			func() error { return upstream.SetGroups(groups[0], groups[1:]...) })
	}
	for _, mode := range []uint{0, 1, 2, 3, 4, 9} {
		add(fmt.Sprint("mode ", mode), func() error { return cap.Mode(mode).Set() }, func() error { return upstream.Mode(mode).Set() })
	}
	for _, bits := range []uint{0, 1, 0x2f, 0xef, 0xfff, 0x1000} {
		add(fmt.Sprintf("securebits %#x", bits), func() error { return cap.Secbits(bits).Set() }, func() error { return upstream.Secbits(bits).Set() })
	}
	add("drop bound", func() error { return cap.DropBound(cap.KILL, cap.CHOWN) }, func() error { return upstream.DropBound(upstream.KILL, upstream.CHOWN) })
	add("drop bound 63", func() error { return cap.DropBound(63) }, func() error { return upstream.DropBound(63) })
	add("ambient without inheritable", func() error { return cap.SetAmbient(true, cap.KILL) }, func() error { return upstream.SetAmbient(true, upstream.KILL) })
	add("reset ambient", cap.ResetAmbient, upstream.ResetAmbient)
	add("prctl", func() error { _, err := cap.Prctlw(38, 1); return err }, func() error { _, err := upstream.Prctlw(38, 1); return err })
	add("prctl of 7", func() error { _, err := cap.Prctlw(38, 1, 0, 0, 0, 0, 0); return err }, func() error { _, err := upstream.Prctlw(38, 1, 0, 0, 0, 0, 0); return err })
	return list
}

// starts are the states before the operations.
var starts = map[string]func() error{
	"root": func() error { return nil },
	"root without effective": func() error {
		c := upstream.GetProc()
		return errors.Join(c.ClearFlag(upstream.Effective), c.SetProc())
	},
	"root without setpcap": func() error {
		c := upstream.GetProc()
		return errors.Join(c.SetFlag(upstream.Effective, false, upstream.SETPCAP), c.SetFlag(upstream.Permitted, false, upstream.SETPCAP), c.SetProc())
	},
	"user with capabilities": func() error {
		return errors.Join(upstream.SetGroups(1000), upstream.SetUID(1000))
	},
	"user": func() error {
		return errors.Join(upstream.SetGroups(1000), upstream.SetUID(1000), upstream.NewSet().SetProc())
	},
	"keep-caps locked off": func() error {
		_, err := upstream.Prctlw(28, 0x20)
		return err
	},
}

const startVariable, operationVariable = "CONFORMANCE_START", "CONFORMANCE_OPERATION"

func TestMain(m *testing.M) {
	reexec.Main(m, reexec.Roles{"ours": func() { run(true) }, "theirs": func() { run(false) }, "unprivileged": unprivileged, "wide ids": wideIDs})
}

// run performs one operation from one start, and prints the error and the state.
func run(ours bool) {
	if err := starts[os.Getenv(startVariable)](); err != nil {
		fmt.Println("start:", err)
		os.Exit(3)
	}
	for _, op := range operations() {
		if op.name != os.Getenv(operationVariable) {
			continue
		}
		call := op.theirs
		if ours {
			call = op.ours
		}
		err := call()
		fmt.Println(errorKind(err))
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			os.Exit(4)
		}
		status := reexec.Status(string(text))
		for _, key := range []string{"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"} {
			fmt.Println(key, status[key])
		}
		fmt.Println("securebits", upstream.GetSecbits(), "mode", upstream.GetMode(), cap.GetMode())
	}
}

// known are the differences in the documentation of package cap.
func known(start, op string) string {
	switch {
	case strings.HasPrefix(start, "keep-caps locked off") && strings.HasPrefix(op, "uid "):
		return rowKeepCaps
	case strings.HasPrefix(op, "securebits "):
		return rowSecbits
	}
	return ""
}

func TestProcess(t *testing.T) {
	requires.Root(t)
	compared := 0
	var seen sync.Map
	for start := range starts {
		for _, op := range operations() {
			t.Run(start+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				prepare := func(cmd *exec.Cmd) {
					cmd.Env = append(cmd.Env, startVariable+"="+start, operationVariable+"="+op.name)
				}
				ours, theirs := reexec.Run(t, "ours", prepare), reexec.Run(t, "theirs", prepare)
				if ours.Status != 0 || theirs.Status != 0 {
					t.Fatalf("ours %d %s%s, theirs %d %s%s", ours.Status, ours.Stdout, ours.Stderr, theirs.Status, theirs.Stdout, theirs.Stderr)
				}
				why := known(start, op.name)
				same := ours.Stdout == theirs.Stdout
				if !same && why == "" {
					t.Errorf("ours\n%s\ntheirs\n%s", ours.Stdout, theirs.Stdout)
				}
				if !same {
					seen.Store(why, true)
				}
			})
			compared++
		}
	}
	t.Cleanup(func() {
		for _, why := range []string{rowKeepCaps, rowSecbits} {
			if _, ok := seen.Load(why); !ok {
				t.Errorf("the known difference does not appear: %s", why)
			}
		}
		t.Logf("%d calls compared", compared)
	})
}
