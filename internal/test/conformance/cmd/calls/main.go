// Calls makes calls of package cap, each in a new process, and prints everything that
// a program can observe of the results: values, the error variable that an error
// equals, its text, a panic, and the state of the process.
//
// It is one program for two packages: the test of package conformance builds it
// unchanged, and with the import path of libcap's package. So it may use only what
// both have.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"caprun/cap"
)

// A call is one case. Its name has the called function and what is special.
type call struct {
	name string
	do   func()

	// once is true if the start does not matter.
	once bool
}

// starts are the states of the process before a call.
var starts = map[string]func(){
	"root":        func() {},
	"bracketed":   func() { c := cap.GetProc(); check(c.ClearFlag(cap.Effective)); check(c.SetProc()) },
	"user":        func() { check(cap.SetGroups(1000)); check(cap.SetUID(1000)) },
	"powerless":   func() { check(cap.SetGroups(1000)); check(cap.SetUID(1000)); check(cap.NewSet().SetProc()) },
	"no setpcap":  func() { lose(cap.SETPCAP) },
	"no setuid":   func() { lose(cap.SETUID) },
	"inheritable": func() { c := cap.GetProc(); check(c.SetFlag(cap.Inheritable, true, cap.KILL)); check(c.SetProc()) },
}

func lose(v cap.Value) {
	c := cap.GetProc()
	check(c.SetFlag(cap.Effective, false, v))
	check(c.SetFlag(cap.Permitted, false, v))
	check(c.SetProc())
}

// main lists the cases without arguments, each after whether one start is enough.
// With two arguments it runs one case from one start.
func main() {
	calls := allCalls()
	if len(os.Args) != 3 {
		for _, c := range calls {
			fmt.Println(c.once, c.name)
		}
		return
	}
	for _, c := range calls {
		if c.name == os.Args[2] {
			starts[os.Args[1]]()
			defer func() {
				if recover() != nil {
					fmt.Println("panic")
				}
			}()
			c.do()
		}
	}
}

func allCalls() []call {
	list := valueCalls()
	for n := range list {
		list[n].once = true
	}
	return append(append(append(list, fileCalls()...), processCalls()...), launchCalls()...)
}

func check(err error) {
	if err != nil {
		fmt.Println("start:", err)
		os.Exit(3)
	}
}

// show prints the results of a call on a line.
func show(results ...any) {
	var b strings.Builder
	for n, r := range results {
		if n > 0 {
			b.WriteString(" | ")
		}
		switch r := r.(type) {
		case nil:
			b.WriteString("no error")
		case error:
			b.WriteString(identity(r))
		case *cap.Set:
			d, err := r.Export()
			fmt.Fprintf(&b, "%v %x %v", r, d, err == nil)
		default:
			fmt.Fprintf(&b, "%v", r)
		}
	}
	fmt.Println(b.String())
}

var variables = map[error]string{
	cap.ErrAmbiguousAmbient: "ErrAmbiguousAmbient", cap.ErrAmbiguousChroot: "ErrAmbiguousChroot", cap.ErrAmbiguousIDs: "ErrAmbiguousIDs",
	cap.ErrBadMagic: "ErrBadMagic", cap.ErrBadMode: "ErrBadMode", cap.ErrBadPath: "ErrBadPath", cap.ErrBadSet: "ErrBadSet",
	cap.ErrBadSize: "ErrBadSize", cap.ErrBadText: "ErrBadText", cap.ErrBadValue: "ErrBadValue", cap.ErrLaunchFailed: "ErrLaunchFailed",
	cap.ErrNoLaunch: "ErrNoLaunch", cap.ErrOutOfRange: "ErrOutOfRange",
}

// identity returns the error variables that an error, and those it wraps, are equal
// to, and their texts.
func identity(err error) string {
	var which string
	switch e := err.(type) {
	case syscall.Errno:
		which = "errno " + strconv.Itoa(int(e))
	case *fs.PathError:
		which = fmt.Sprintf("%T %s %s %s", e, e.Op, e.Path, identity(e.Err))
	case *strconv.NumError:
		which = fmt.Sprintf("%T %s %q", e, e.Func, e.Num)
	default:
		which = fmt.Sprintf("%T", e)
		if name := variables[err]; name != "" {
			which = name
		}
		if inner := errors.Unwrap(err); inner != nil {
			which += " of " + identity(inner)
		}
	}
	return which + " (" + err.Error() + ")"
}

// state prints the credentials of the calling thread: some calls change only those.
func state() {
	runtime.LockOSThread()
	text, err := os.ReadFile("/proc/thread-self/status")
	check(err)
	for _, line := range strings.Split(string(text), "\n") {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs":
			fmt.Println(key, strings.Join(strings.Fields(value), " "))
		}
	}
	keep, err := cap.Prctl(7) // PR_GET_KEEPCAPS
	fmt.Printf("securebits %#x, mode %v, keep-caps %d %v\n", uint(cap.GetSecbits()), cap.GetMode(), keep, err)
}
