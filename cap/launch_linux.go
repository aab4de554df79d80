package cap

import (
	"path/filepath"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// launch applies the settings on a new thread, and forks there.
func (c *launchConfig) launch(data any) (int, error) {
	type result struct {
		tid, pid int
		err      error
	}
	nested, process := onLaunchThread(), syscall.Getpid()
	done := make(chan result, 1)
	var start func(retry bool)
	start = func(retry bool) {
		// Never unlocked: the thread ends with this goroutine.
		runtime.LockOSThread()
		tid := gettid()
		if tid == process && retry {
			// The main thread cannot end before the process. While it is locked
			// here, the next goroutine runs on another one.
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
		defer leaveLaunchThread(tid)
		r.pid, r.err = c.launchHere(data)
	}
	go start(true)
	r := <-done
	// Until the thread has ended, a change of all threads would find one with
	// other credentials.
	awaitThread(process, r.tid)
	endLaunch()
	return r.pid, r.err
}

// awaitThread returns when a thread of a process has ended. A running thread needs
// only a few microseconds for that, and sleeping takes longer, so it polls first.
//
// The kernel uses a thread ID again only after all others. If it did that between two
// polls, awaitThread would return when the new thread with that ID ends.
func awaitThread(process, tid int) {
	const polls, yields = 20, 100
	pause := 10 * time.Microsecond
	for n := 0; syscall.Tgkill(process, tid, 0) == nil; n++ {
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

// launchHere runs the callback, applies the settings, and forks, all on the calling
// thread.
func (c *launchConfig) launchHere(data any) (int, error) {
	setThreadName("cap-launcher")
	if c.path == "" {
		if err := c.callback(nil, data); err != nil {
			return -1, err
		}
		return 0, nil
	}
	pa := &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Env: environ(c.env)}
	if c.callback != nil {
		if err := c.callback(pa, data); err != nil {
			return -1, err
		}
	}
	if err := c.takeRoot(pa); err != nil {
		return -1, err
	}
	if err := c.applyTo(thisThread); err != nil {
		return -1, err
	}
	c.awaitFileSystem(pa)
	pid, err := syscall.ForkExec(c.path, c.args, pa)
	if err != nil {
		return -1, err
	}
	return pid, nil
}

// awaitFileSystem returns when the file system of the program responds. exec would
// wait for it, too, but after a vfork(2), during which the thread keeps its processor
// of the Go runtime: other goroutines could not run.
func (c *launchConfig) awaitFileSystem(pa *syscall.ProcAttr) {
	path := c.path
	if !filepath.IsAbs(path) {
		path = filepath.Join(pa.Dir, path)
	}
	// The result is not used: exec reports what is wrong with the program.
	if c.chroot != "" {
		statInRoot(c.chroot, path)
		return
	}
	var st syscall.Stat_t
	_ = syscall.Stat(path, &st)
}

// takeRoot rejects attributes that only the Launcher may set, and sets the root
// directory.
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

// setThreadName sets the name of the calling thread, which debuggers and ps(1) show.
func setThreadName(name string) {
	b := append([]byte(name), 0)
	thisThread.call(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
}
