package cap

import (
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// launch performs the steps on a disposable thread and forks there.
func (c *launchConfig) launch(steps []Step, data any) (int, error) {
	type result struct {
		tid, pid int
		err      error
	}
	nested := onLaunchThread()
	if c.callback == nil {
		slot := launchSlots()
		slot <- struct{}{}
		defer func() { <-slot }()
	}
	done := make(chan result, 1)
	var start func(retry bool)
	start = func(retry bool) {
		// Never unlocked: the thread ends with this goroutine.
		runtime.LockOSThread()
		tid := gettid()
		if tid == syscall.Getpid() && retry {
			// The first thread cannot end before the process does. While it is
			// locked here, the next goroutine gets another one.
			moved := make(chan struct{})
			go func() { defer close(moved); start(false) }()
			<-moved
			runtime.UnlockOSThread()
			return
		}
		r := result{tid: tid, pid: -1, err: ErrLaunchFailed}
		// Deferred, so that a callback that ends its goroutine ends the launch.
		defer func() { done <- r }()
		beginLaunch(tid, nested)
		r.pid, r.err = c.launchHere(steps, data)
	}
	go start(true)
	r := <-done
	// Until the thread is gone, a change of all threads would find it with
	// other credentials.
	awaitThread(r.tid)
	endLaunch(r.tid)
	return r.pid, r.err
}

// launchSlots bounds how many launches without a callback, which end by
// themselves, have a thread at the same time. Each holds a processor of Go
// until its child executes the program, and then its thread ends: more of them
// would only wait for each other, and each on a thread of its own.
var launchSlots = sync.OnceValue(func() chan struct{} { return make(chan struct{}, 2*runtime.GOMAXPROCS(0)) })

// awaitThread returns when a thread of this process has ended. That takes it a
// few microseconds, if it has a processor; a pause of this one takes many.
func awaitThread(tid int) {
	const polls, yields = 20, 100
	pid, pause := syscall.Getpid(), 10*time.Microsecond
	for n := 0; syscall.Tgkill(pid, tid, 0) == nil; n++ {
		if n < polls {
			continue
		}
		if n < yields {
			syscall.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
			continue
		}
		time.Sleep(pause)
		pause = min(2*pause, time.Millisecond)
	}
}

// launchHere runs the callback and the steps on the calling thread.
func (c *launchConfig) launchHere(steps []Step, data any) (int, error) {
	setThreadName("cap-launcher")
	var pa *syscall.ProcAttr
	if c.path != "" {
		exec := steps[len(steps)-1]
		pa = &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Env: exec.environ()}
	}
	if c.callback != nil {
		if err := c.callback(pa, data); err != nil {
			return -1, err
		}
	}
	if pa == nil {
		return 0, nil
	}
	if err := c.takeRoot(pa); err != nil {
		return -1, err
	}
	for _, s := range steps {
		switch s.Kind {
		case StepChroot:
			// A thread shares its root directory with the process: the forked
			// child changes it.
		case StepExec:
			pid, err := syscall.ForkExec(s.Path, s.Args, pa)
			if err != nil {
				return -1, err
			}
			return pid, nil
		default:
			if err := execute(&s); err != nil {
				return -1, err
			}
		}
	}
	return -1, ErrLaunchFailed
}

// takeRoot checks what the callback made of pa and puts the root directory in.
func (c *launchConfig) takeRoot(pa *syscall.ProcAttr) error {
	if pa.Sys != nil {
		switch {
		case pa.Sys.Chroot != "":
			return ErrAmbiguousChroot
		case pa.Sys.Credential != nil:
			return ErrAmbiguousIDs
		case len(pa.Sys.AmbientCaps) != 0:
			return ErrAmbiguousAmbient
		}
	}
	if c.chroot == "" {
		return nil
	}
	sys := syscall.SysProcAttr{}
	if pa.Sys != nil {
		sys = *pa.Sys
	}
	sys.Chroot = c.chroot
	pa.Sys = &sys
	if pa.Dir == "" {
		pa.Dir = "/"
	}
	return nil
}

// setThreadName names the calling thread, for who looks at it in a debugger.
func setThreadName(name string) {
	b := append([]byte(name), 0)
	thisThread.call(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
}
