// Package subject runs processes that tests read: each changes its credentials step
// by step, reports that it is ready, and lives until its input ends.
package subject

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/cap"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// stepsVariable has the steps of a subject.
const stepsVariable = "CAPRUN_TEST_STEPS"

// Main is the role of a subject in the test binary: see package reexec. The role must
// be named "subject".
func Main() {
	for _, text := range strings.Fields(os.Getenv(stepsVariable)) {
		name, value, _ := strings.Cut(text, "=")
		if err := step(name, value); err != nil {
			fmt.Printf("%s: %v\n", text, err)
			os.Exit(1)
		}
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func step(name, value string) error {
	number, _ := strconv.ParseUint(value, 0, 64)
	set := cap.GetProc()
	switch name {
	case "chroot":
		return syscall.Chroot(value)
	case "lose":
		return errors.Join(set.SetFlag(cap.Permitted, false, values(number)...),
			set.SetFlag(cap.Effective, false, values(number)...), set.SetProc())
	case "ineffective":
		return errors.Join(set.ClearFlag(cap.Effective), set.SetProc())
	case "only":
		caps := values(number)
		return errors.Join(set.ClearFlag(cap.Effective), set.ClearFlag(cap.Permitted),
			set.SetFlag(cap.Permitted, true, caps...), set.SetFlag(cap.Effective, true, caps...), set.SetProc())
	case "keepcaps":
		_, err := cap.Prctlw(unix.PR_SET_KEEPCAPS, 1)
		return err
	case "inherit":
		return errors.Join(set.SetFlag(cap.Inheritable, true, values(number)...), set.SetProc())
	case "ambient":
		return cap.SetAmbient(true, values(number)...)
	case "bound":
		return cap.DropBound(values(number)...)
	case "groups":
		return syscall.Setgroups([]int{int(number)})
	case "gid":
		return syscall.Setresgid(int(number), int(number), int(number))
	case "uid":
		return syscall.Setresuid(int(number), int(number), int(number))
	case "euid":
		return syscall.Setresuid(-1, int(number), -1)
	case "nnp":
		_, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1)
		return err
	case "name":
		text, err := strconv.Unquote(value)
		if err != nil {
			return err
		}
		return os.WriteFile("/proc/self/comm", []byte(text), 0)
	case "thread":
		// A new thread with no_new_privs, which requires no privilege.
		tid := make(chan int)
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() == unix.Getpid() {
				tid <- 0
				select {}
			}
			_, _, _ = syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
			tid <- unix.Gettid()
			select {}
		}()
		id := <-tid
		if id == 0 {
			// The first thread is occupied now.
			return step(name, value)
		}
		fmt.Println(id)
	case "leader-ends":
		return endLeader()
	case "toggle", "toggle-busy":
		// A thread that is alternately uid 0 and uid 33: its effective capabilities
		// come and go, every few microseconds.
		stay := time.Duration(number) * time.Microsecond
		wait := func() { time.Sleep(stay) }
		if name == "toggle-busy" {
			wait = func() {
				for begin := time.Now(); time.Since(begin) < stay; {
				}
			}
		}
		go func() {
			runtime.LockOSThread()
			for {
				_, _, _ = syscall.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 33, ^uintptr(0))
				wait()
				_, _, _ = syscall.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 0, ^uintptr(0))
				wait()
			}
		}()
	case "relay":
		// One thread always has no_new_privs: it ends when the next one has it.
		first := make(chan bool)
		go relay(first)
		<-first
	case "churn":
		for range number {
			go func() {
				for {
					done := make(chan bool)
					go func() {
						// The thread ends with its goroutine.
						runtime.LockOSThread()
						close(done)
					}()
					<-done
					time.Sleep(time.Millisecond)
				}
			}()
		}
	default:
		return errors.New("unknown step")
	}
	return nil
}

func relay(ready chan<- bool) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread does not end with its goroutine.
		go relay(ready)
		select {}
	}
	_, _, _ = syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	ready <- true
	time.Sleep(time.Millisecond / 2)
	next := make(chan bool)
	go relay(next)
	<-next
}

// endLeader ends the first thread, which remains as a zombie.
func endLeader() error {
	ended := make(chan bool)
	for range 60_000 {
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() == unix.Getpid() {
				close(ended)
				_, _, _ = syscall.Syscall(unix.SYS_EXIT, 0, 0, 0)
			}
			runtime.UnlockOSThread()
		}()
		select {
		case <-ended:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
	return errors.New("no goroutine ran on the first thread")
}

// Running is a subject that is ready.
type Running struct {
	*exec.Cmd
	Said string // output before it was ready
}

// Timeout is the maximum lifetime of a subject.
const Timeout = 5 * time.Minute

// Start starts a subject, which ends with the test.
func Start(t testing.TB, steps string, prepare func(*exec.Cmd)) Running {
	t.Helper()
	cmd := reexec.Command("subject")
	cmd.Env = append(cmd.Env, stepsVariable+"="+steps)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start a subject: %v", err)
	}
	timer := time.AfterFunc(Timeout, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		timer.Stop()
	})
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			return Running{cmd, said.String()}
		}
		said.WriteString(lines.Text())
	}
	t.Fatalf("the subject printed %q", said.String())
	return Running{}
}

// StartInNamespace starts a subject in a new user namespace, where it is root.
func StartInNamespace(t testing.TB) Running {
	t.Helper()
	userns := func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	probe := reexec.Command("subject")
	userns(probe)
	if err := probe.Run(); err != nil {
		requires.Skip(t, "requires a new user namespace: "+err.Error())
	}
	return Start(t, "", userns)
}

func values(caps uint64) (list []cap.Value) {
	for n := range 64 {
		if caps&(1<<n) != 0 {
			list = append(list, cap.Value(n))
		}
	}
	return list
}
