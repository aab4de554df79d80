package cap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
)

// launchRoles change their process.
var launchRoles = reexec.Roles{
	"launch-many":     launchMany,
	"launch-goexit":   launchGoexit,
	"launch-panic":    launchPanic,
	"launch-callback": launchCallback,
	"launch-func":     launchFunc,
	"launch-chroot":   launchChroot,
	"launch-nested":   launchNested,
}

// output launches l and returns its standard output.
func output(l *Launcher) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	l.Callback(func(pa *syscall.ProcAttr, _ any) error {
		pa.Files[1] = w.Fd()
		return nil
	})
	pid, err := l.Launch(nil)
	w.Close()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_, err = syscall.Wait4(pid, nil, 0, nil)
	return text.String(), err
}

// watch ends the process if the test hangs.
func watch() {
	time.AfterFunc(time.Minute, func() {
		buf := make([]byte, 1<<20)
		os.Stderr.Write(buf[:runtime.Stack(buf, true)])
		os.Exit(99)
	})
}

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// launchMany launches on several goroutines while other goroutines change the process,
// and checks the credentials of all threads and children.
func launchMany() {
	watch()
	const launches = 25
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			uid := 1000 + n
			for range launches {
				l := NewLauncher("/bin/cat", []string{"cat", "/proc/self/status"}, nil)
				l.SetUID(uid)
				l.SetGroups(uid, nil)
				l.SetIAB(iabOf(1<<uint(n), 1<<uint(n), 0))
				text, err := output(l)
				try(err)
				got := reexec.Status(text)
				want := fmt.Sprintf("%d %d %d %d", uid, uid, uid, uid)
				if got["Uid"] != want || got["CapEff"] != fmt.Sprintf("%016x", 1<<n) || got["Groups"] != "" {
					try(fmt.Errorf("uid %q, effective %q, groups %q", got["Uid"], got["CapEff"], got["Groups"]))
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range launches {
				set := GetProc()
				try(set.SetFlag(Effective, false, SYS_TIME))
				try(set.SetProc())
				try(set.SetFlag(Effective, true, SYS_TIME))
				try(set.SetProc())
			}
		})
	}
	wg.Wait()
	try(sameThreads())
	fmt.Println("done")
}

// sameThreads returns an error if the threads differ in credentials.
func sameThreads() error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	first := ""
	for _, task := range tasks {
		text, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err != nil {
			continue
		}
		s := reexec.Status(string(text))
		creds := s["Uid"] + " " + s["Gid"] + " " + s["Groups"] + " " + s["CapInh"] + s["CapPrm"] + s["CapEff"] + s["CapBnd"] + s["CapAmb"]
		if first == "" {
			first = creds
		}
		if creds != first {
			return fmt.Errorf("thread %s (%s) has %s, another one %s", task.Name(), s["Name"], creds, first)
		}
	}
	return nil
}

func TestLaunchMany(t *testing.T) {
	requires.Root(t)
	if r := reexec.Run(t, "launch-many", nil); r.Stdout != "done\n" {
		t.Errorf("status %d: %s%s", r.Status, r.Stdout, r.Stderr)
	}
}

// launchGoexit has a callback that ends its goroutine, as t.FailNow does.
func launchGoexit() {
	watch()
	l := NewLauncher("/bin/true", []string{"true"}, nil)
	l.Callback(func(*syscall.ProcAttr, any) error { runtime.Goexit(); return nil })
	pid, err := l.Launch(nil)
	fmt.Println(pid, err)
	// A change of the process does not wait forever.
	fmt.Println(GetProc().SetProc())
}

func launchPanic() {
	watch()
	FuncLauncher(func(any) error { panic("from the callback") }).Launch(nil)
}

func launchCallback() {
	watch()
	l := NewLauncher("/bin/echo", []string{"echo", "ran"}, nil)
	l.Callback(func(pa *syscall.ProcAttr, data any) error {
		// Its own setters do not deadlock; they count from the next launch on.
		l.Callback(nil)
		fmt.Println("callback", data, len(pa.Files), runtime.GOOS)
		return nil
	})
	for range 2 {
		pid, err := l.Launch("data")
		try(err)
		_, err = syscall.Wait4(pid, nil, 0, nil)
		try(err)
	}
	for _, set := range []func(*syscall.SysProcAttr){
		func(s *syscall.SysProcAttr) { s.Chroot = "/" },
		func(s *syscall.SysProcAttr) { s.Credential = &syscall.Credential{} },
		func(s *syscall.SysProcAttr) { s.AmbientCaps = []uintptr{1} },
	} {
		l.Callback(func(pa *syscall.ProcAttr, _ any) error {
			pa.Sys = &syscall.SysProcAttr{}
			set(pa.Sys)
			return nil
		})
		fmt.Println(l.Launch(nil))
	}
	l.Callback(func(*syscall.ProcAttr, any) error { return errors.New("no") })
	fmt.Println(l.Launch(nil))
}

// launchFunc changes only the state of its own thread.
func launchFunc() {
	watch()
	before := GetProc().String()
	pid, err := FuncLauncher(func(data any) error {
		if err := NewSet().SetProc(); err != nil {
			return err
		}
		*data.(*string) = GetProc().String()
		return nil
	}).Launch(&before)
	try(err)
	fmt.Println(pid, before, GetProc().String() != before)
	fmt.Println(FuncLauncher(func(any) error { return errors.New("no") }).Launch(nil))
	fmt.Println(FuncLauncher(nil).Launch(nil))
	fmt.Println((*Launcher)(nil).Launch(nil))
	fmt.Println(NewLauncher("", nil, nil).Launch(nil))
	fmt.Println(NewLauncher("/bin/true", nil, nil).Launch(nil))
	try(sameThreads())
}

// launchChroot has a callback that sets other attributes. The root directory is changed,
// too.
func launchChroot() {
	watch()
	dir, err := os.MkdirTemp("", "jail")
	try(err)
	defer os.RemoveAll(dir)
	l := NewLauncher("/bin/true", []string{"true"}, nil)
	l.SetChroot(dir)
	l.Callback(func(pa *syscall.ProcAttr, _ any) error {
		pa.Sys = &syscall.SysProcAttr{Setsid: true}
		return nil
	})
	fmt.Println(l.Launch(nil))
	l.SetMode(ModeNoPriv)
	fmt.Println(l.Launch(nil))
}

func launchNested() {
	watch()
	inner := func(any) error {
		pid, err := NewLauncher("/bin/true", []string{"true"}, nil).Launch(nil)
		if err == nil {
			_, err = syscall.Wait4(pid, nil, 0, nil)
		}
		return err
	}
	fmt.Println(FuncLauncher(inner).Launch(nil))
}

func TestLaunchBehaviour(t *testing.T) {
	requires.Root(t)
	for role, want := range map[string]string{
		"launch-goexit": "-1 launch failed\n<nil>\n",
		"launch-callback": "callback data 3 linux\nran\nran\n" +
			"-1 use Launcher for chroot\n-1 use Launcher for uids and gids\n-1 use Launcher for ambient caps\n-1 no\n",
		"launch-func":   "0 = true\n-1 no\n-1 launch failed\n-1 launch failed\n-1 launch failed\n-1 launch failed\n",
		"launch-chroot": "-1 no such file or directory\n-1 operation not permitted\n",
		"launch-nested": "0 <nil>\n",
	} {
		if r := reexec.Run(t, role, nil); r.Stdout != want || r.Status != 0 {
			t.Errorf("%s: status %d, got %q, want %q\n%s", role, r.Status, r.Stdout, want, r.Stderr)
		}
	}
	if r := reexec.Run(t, "launch-panic", nil); r.Status != 2 || !strings.Contains(r.Stderr, "from the callback") {
		t.Errorf("a panic gives status %d: %s", r.Status, r.Stderr)
	}
}

// TestEnvironment: with nil the target inherits the environment; an empty slice makes it
// empty.
func TestEnvironment(t *testing.T) {
	t.Setenv("CAP_TEST", "inherited")
	for want, env := range map[string][]string{"inherited\n": nil, "\n": {}, "own\n": {"CAP_TEST=own"}} {
		got, err := output(NewLauncher("/bin/sh", []string{"sh", "-c", "echo $CAP_TEST"}, env))
		if err != nil || got != want {
			t.Errorf("%q: got %q, want %q, %v", env, got, want, err)
		}
	}
}
