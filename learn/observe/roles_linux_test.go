package observe

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

// nextRole is the variable with the role that the recorded process executes.
const nextRole = "OBSERVE_TEST_NEXT"

// threadCount is the number of threads of the role "threads".
const threadCount = 4

func TestMain(m *testing.M) {
	reexec.Main(m, reexec.Roles{
		"next":    next,
		"chown":   func() { exitOn(chown(12345)); hold() },
		"bind":    bind,
		"ids":     func() { changeIDs(); hold() },
		"drop":    drop,
		"threads": threads,
		"fork":    func() { exitOn(startRole("forked")) },
		"forked":  func() { exitOn(startRole("orphan")) },
		"orphan":  orphan,
		"userns":  userns,
		"refused": refused,
		"host":    func() { exitOn(unix.Sethostname([]byte("test"))) },
		"probes":  leaveProbes,
		"root":    changeRoot,
		"setpcap": setPCap,
		"check":   reportAvailable,
		"small":   openSmall,
		"hidden":  recordHidden,
	})
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// next executes what is to be recorded: a program, or a role.
func next() {
	program, env := os.Args[1:], os.Environ()
	if role := os.Getenv(nextRole); role != "" {
		program, env = []string{"/proc/self/exe"}, append(env, "CAPRUN_TEST_CHILD="+role)
	}
	exitOn(syscall.Exec(program[0], program, env))
}

// startRole starts a role and does not wait for it.
func startRole(role string) error {
	cmd := reexec.Command(role)
	cmd.Stderr = os.Stderr
	cmd.Env = append(cmd.Env, parentVariable+"="+strconv.Itoa(os.Getpid()))
	return cmd.Start()
}

// parentVariable is the variable with the PID of the process that started this one.
const parentVariable = "OBSERVE_TEST_PARENT"

func chown(uid int) error { return unix.Fchownat(unix.AT_FDCWD, os.Getenv("FILE"), uid, 23456, 0) }

// bind binds to two ports. The process has a network namespace of its own.
func bind() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	exitOn(err)
	exitOn(unix.Bind(fd, &unix.SockaddrInet4{Port: 80}))
	fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	exitOn(err)
	exitOn(unix.Bind(fd, &unix.SockaddrInet6{Port: 81}))
	hold()
}

// targetGroups are in memory that does not change before it is read.
var targetGroups = [...]uint32{33, 44}

// changeIDs drops the privileges of a thread.
func changeIDs() {
	runtime.LockOSThread()
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(targetGroups)), uintptr(unsafe.Pointer(&targetGroups[0])), 0)
	exitOn(errorOf(errno))
	_, _, errno = unix.RawSyscall(unix.SYS_SETRESGID, 34567, 34567, 34567)
	exitOn(errorOf(errno))
	_, _, errno = unix.RawSyscall(unix.SYS_SETRESUID, 45678, 45678, 45678)
	exitOn(errorOf(errno))
}

// drop executes after it dropped its privileges.
func drop() {
	changeIDs()
	program, env := "/proc/self/exe", append(os.Environ(), "CAPRUN_TEST_CHILD=refused")
	if path := os.Getenv("EXECUTE"); path != "" {
		program = path
	}
	exitOn(syscall.Exec(program, []string{program}, env))
}

func errorOf(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// threads changes the owner of a file in several threads.
func threads() {
	var all sync.WaitGroup
	for n := range threadCount {
		all.Go(func() {
			runtime.LockOSThread() // and never unlock it: each has a thread of its own
			for unix.Gettid() == unix.Getpid() {
				// The main thread does not end with its goroutine: let another one run here.
				runtime.UnlockOSThread()
				time.Sleep(time.Millisecond)
				runtime.LockOSThread()
			}
			exitOn(chown(1000 + n))
			time.Sleep(10 * time.Millisecond)
		})
	}
	all.Wait()
}

// orphan waits until its parent has ended, and then causes a check.
func orphan() {
	for range 10_000 {
		if strconv.Itoa(os.Getppid()) != os.Getenv(parentVariable) {
			exitOn(chown(1))
			return
		}
		time.Sleep(time.Millisecond)
	}
	exitOn(errors.New("the parent did not end"))
}

// refused has no privileges.
func refused() {
	if err := chown(12345); err != unix.EPERM {
		exitOn(fmt.Errorf("chown: %w, want EPERM", err))
	}
	hold()
}

// userns sets the host name in two user namespaces.
func userns() {
	for n, flags := range []uintptr{unix.CLONE_NEWUTS, unix.CLONE_NEWUTS | unix.CLONE_NEWUSER} {
		cmd := reexec.Command("host")
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		if n == 1 {
			ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
			cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = ids, ids
		}
		exitOn(cmd.Run())
	}
}

// changeRoot waits in another root directory.
func changeRoot() {
	exitOn(unix.Chroot(os.Getenv("ROOT")))
	exitOn(unix.Chdir("/dir"))
	hold()
}

// setPCap uses cap_setpcap in each way that there is.
func setPCap() {
	runtime.LockOSThread()
	exitOn(unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_PACCT, 0, 0, 0))
	exitOn(unix.Prctl(unix.PR_SET_SECUREBITS, 1<<2, 0, 0, 0)) // SECBIT_NO_SETUID_FIXUP
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	exitOn(unix.Capget(&header, &data[0]))
	data[0].Inheritable |= 1 << unix.CAP_CHOWN
	exitOn(unix.Capset(&header, &data[0]))
	hold()
}
