package cap

import (
	"runtime"
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

// awaitThread returns when a thread of this process has ended.
func awaitThread(tid int) {
	pid := syscall.Getpid()
	for pause := time.Microsecond; syscall.Tgkill(pid, tid, 0) == nil; pause = min(2*pause, time.Millisecond) {
		time.Sleep(pause)
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
