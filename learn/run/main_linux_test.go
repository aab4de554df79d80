package run

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == CommandArgument {
		os.Exit(RunCommand(os.Args[2]))
	}
	if len(os.Args) == 4 && os.Args[1] == WorkerArgument {
		guardedWorker(os.Args[2], os.Args[3])
	}
	reexec.Main(tests{m}, reexec.Roles{"worker": workerRole, "guard": guardRole, "threads": threadsRole})
}

type tests struct{ *testing.M }

// Run runs the tests. Nearly all of them only wait for time limits, so many of them run at
// once, even with few processors.
func (m tests) Run() int {
	const atOnce = 12
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.M.Run()
}

// work is what a worker does: the tests of this package run it in a process of its own,
// because it owns all its children.
type work struct {
	Argv        []string
	Test, Reset string
	Settle      time.Duration
	Timeout     time.Duration
	ResetLimit  time.Duration
	Kind        Kind
	Runs        int
	Cancel      time.Duration // cancel the context after this time; 0 for never
	Refuse      bool          // the launch refuses
	Alone       time.Duration // run only the test, with this limit; 0 for the program
	Private     bool          // in a mount namespace of its own
}

// worked is what a worker reports.
type worked struct {
	Results []Result
	Error   string
	Refused *RefusedError
	Reset   *ResetError
	Left    int // processes that are left
	Orphans int // children that were not reaped
}

// program returns a program that is started without caprun: a shell waits for a line, and
// then executes it.
func (w work) program() Program {
	return Program{
		Test: w.Test, Reset: w.Reset, Settle: w.Settle, Timeout: w.Timeout, ResetTimeout: w.ResetLimit,
		Start: func(s Streams) (Child, error) {
			r, write, err := os.Pipe()
			if err != nil {
				return Child{}, err
			}
			defer r.Close()
			argv := append([]string{"sh", "-c", `read x <&3 && exec "$@" 3<&-`, "sh"}, w.Argv...)
			pid, err := syscall.ForkExec(shell, argv, &syscall.ProcAttr{
				Env: os.Environ(), Files: []uintptr{s.Stdin.Fd(), s.Stdout.Fd(), s.Stderr.Fd(), r.Fd()},
				Sys: &syscall.SysProcAttr{Setpgid: true},
			})
			return Child{
				PID: pid,
				Launch: func() (bool, error) {
					if w.Refuse {
						write.Close()
						return false, nil
					}
					_, err := write.WriteString("go\n")
					return true, errors.Join(err, write.Close())
				},
				Close: func() { write.Close() },
			}, err
		},
	}
}

// workerRole does the work in the environment variable WORK.
func workerRole() {
	report := doWork(os.Getenv("WORK"), func(*Tree) {})
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		panic(err)
	}
}

func doWork(text string, started func(*Tree)) (report worked) {
	runtime.LockOSThread()
	var w work
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		panic(err)
	}
	t, err := NewTree()
	if err != nil {
		panic(err)
	}
	t.Command = func(command string) []string { return []string{"test", CommandArgument, command} }
	started(t)
	ctx := context.Background()
	if w.Cancel > 0 {
		limited, cancel := context.WithTimeout(ctx, w.Cancel)
		defer cancel()
		ctx = limited
	}
	for range max(1, w.Runs) {
		run := func() (Result, error) { return t.Run(ctx, w.program(), w.Kind) }
		if w.Alone > 0 {
			run = func() (Result, error) { return t.TestAlone(ctx, w.program(), w.Alone) }
		}
		r, err := run()
		report.Results = append(report.Results, r)
		if err != nil {
			report.Error = err.Error()
			_ = errors.As(err, &report.Refused)
			_ = errors.As(err, &report.Reset)
			break
		}
		w.Kind = r.Kind
	}
	left, err := descendants()
	if err != nil {
		panic(err)
	}
	report.Left = len(left)
	t.reap()
	var ws unix.WaitStatus
	if pid, _ := unix.Wait4(-1, &ws, unix.WNOHANG, nil); pid > 0 {
		report.Orphans++
	}
	return report
}

// run does work in a process of its own.
func (w work) run(t *testing.T) worked {
	t.Helper()
	if w.Timeout == 0 {
		w.Timeout = time.Minute
	}
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	out := reexec.Run(t, "worker", func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "WORK="+string(text))
		if w.Private {
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		}
	})
	var report worked
	if err := json.Unmarshal([]byte(out.Stdout), &report); err != nil {
		t.Fatalf("status %d: %v\n%s%s", out.Status, err, out.Stdout, out.Stderr)
	}
	if report.Left != 0 || report.Orphans != 0 {
		t.Errorf("%d processes and %d zombies are left", report.Left, report.Orphans)
	}
	return report
}

// guardRole is a guard of a worker that does the work in WORK.
func guardRole() {
	status, err := RunGuard(func(fd string) []string { return []string{"test", WorkerArgument, fd, os.Getenv("WORK")} })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// guardedWorker does work below a guard. It writes its process ID to the standard output.
func guardedWorker(fd, text string) {
	signal.Ignore(unix.SIGPIPE)
	doWork(text, func(t *Tree) {
		if err := WatchGuard(fd, func() { os.Exit(exitAfter(t.KillAll())) }); err != nil {
			panic(err)
		}
		fmt.Println(os.Getpid())
	})
	os.Exit(0)
}

func exitAfter(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 4
}

// threadsRole has threads, and its first one ends first.
func threadsRole() {
	n, err := strconv.Atoi(os.Getenv("THREADS"))
	if err != nil {
		panic(err)
	}
	for range n {
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	runtime.LockOSThread()
	_, _, _ = syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0) // of this thread only
}
