package cap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"
)

// launchSettingRoles test how a launch applies its settings, and which capabilities are
// effective then.
var launchSettingRoles = reexec.Roles{
	"launch-bracketed": launchBracketed,
	"launch-lowers":    launchLowers,
	"launch-ignores":   launchIgnores,
	"launch-errors":    launchErrors,
}

func dropEffective(*syscall.ProcAttr, any) error {
	c := GetProc()
	return errors.Join(c.ClearFlag(Effective), c.SetProc())
}

func dropAll(*syscall.ProcAttr, any) error { return NewSet().SetProc() }

// launchBracketed has an empty effective set, as a careful program does, and launches a
// program that it could reach only with a capability.
func launchBracketed() {
	watch()
	dir, err := os.MkdirTemp("", "private")
	try(err)
	defer os.RemoveAll(dir)
	program, err := os.ReadFile("/bin/true")
	try(err)
	path := filepath.Join(dir, "program")
	try(os.WriteFile(path, program, 0o755))
	try(SetUID(1000))
	for _, callback := range []func(*syscall.ProcAttr, any) error{nil, dropEffective} {
		l := NewLauncher(path, []string{"program"}, nil)
		l.Callback(callback)
		fmt.Println(l.Launch(nil))
	}
	l := NewLauncher(path, []string{"program"}, nil)
	l.SetUID(1000)
	l.SetGroups(1000, []int{1000})
	l.SetMode(ModeHybrid)
	l.SetIAB(iabOf(0, 0, 1<<KILL))
	fmt.Println(l.Launch(nil))
}

// launchLowers applies each setting and prints the effective set afterwards.
func launchLowers() {
	watch()
	for name, set := range lowering {
		l := NewLauncher("/bin/true", []string{"true"}, nil)
		set(l)
		c := l.config()
		_, err := FuncLauncher(func(any) error {
			try(dropEffective(nil, nil))
			if err := c.applyTo(thisThread); err != nil {
				return err
			}
			e, _, _, err := capget(0)
			want := Mask(0)
			if c.chroot != "" {
				want = 1 << SYS_CHROOT
			}
			if e != want {
				fmt.Printf("%s: effective are %v, want %v\n", name, e, want)
			}
			return err
		}).Launch(nil)
		if err != nil {
			fmt.Printf("%s: %v\n", name, err)
		}
	}
	fmt.Println("done")
}

var lowering = map[string]func(*Launcher){
	"nothing":      func(*Launcher) {},
	"uid":          func(l *Launcher) { l.SetUID(1000) },
	"groups":       func(l *Launcher) { l.SetGroups(1000, []int{7}) },
	"mode":         func(l *Launcher) { l.SetMode(ModePure1E) },
	"tuple":        func(l *Launcher) { l.SetIAB(iabOf(1<<KILL, 1<<KILL, 1<<CHOWN)) },
	"securebits":   func(l *Launcher) { l.SetSecbits(SecbitNoRoot) },
	"no_new_privs": func(l *Launcher) { l.SetNoNewPrivs() },
	"root":         func(l *Launcher) { l.SetChroot("/") },
	"all": func(l *Launcher) {
		l.SetUID(1000)
		l.SetGroups(1000, []int{7})
		l.SetIAB(iabOf(1<<KILL, 1<<KILL, 1<<CHOWN))
		l.SetSecbits(SecbitNoRoot | SecbitNoCapAmbientRaise)
		l.SetNoNewPrivs()
		l.SetChroot("/")
	},
}

// launchIgnores has a FuncLauncher with settings, which are not applied.
func launchIgnores() {
	watch()
	for name, set := range map[string]func(*Launcher){
		"uid":          func(l *Launcher) { l.SetUID(-1) },
		"groups":       func(l *Launcher) { l.SetGroups(-1, nil) },
		"mode":         func(l *Launcher) { l.SetMode(ModeUncertain) },
		"mode, root":   func(l *Launcher) { l.SetMode(ModeNoPriv); l.SetChroot("/nonexistent") },
		"mode, tuple":  func(l *Launcher) { l.SetMode(ModeNoPriv); l.SetIAB(iabOf(1, 1, 0)) },
		"bad tuple":    func(l *Launcher) { l.SetIAB(&IAB{}) },
		"no_new_privs": func(l *Launcher) { l.SetNoNewPrivs() },
		"Exec only":    func(l *Launcher) { l.SetCwd("/"); l.SetUmask(-1) },
	} {
		ran := false
		l := FuncLauncher(func(any) error {
			ran = true
			e, p, _, err := capget(0)
			if e != p || p == 0 {
				return fmt.Errorf("effective are %v of %v", e, p)
			}
			return err
		})
		set(l)
		if pid, err := l.Launch(nil); pid != 0 || err != nil || !ran {
			fmt.Printf("%s: %d, %v, ran %v\n", name, pid, err, ran)
		}
	}
	fmt.Println("done")
}

// launchErrors compares errors with ==, as programs do.
func launchErrors() {
	watch()
	for name, c := range map[string]struct {
		set  func(*Launcher)
		want error
	}{
		"uid, none left":           {func(l *Launcher) { l.Callback(dropAll); l.SetUID(1) }, syscall.EPERM},
		"the same uid, none left":  {func(l *Launcher) { l.Callback(dropAll); l.SetUID(0) }, syscall.EPERM},
		"the same gid, none left":  {func(l *Launcher) { l.Callback(dropAll); l.SetGroups(0, nil) }, syscall.EPERM},
		"the same mode, none left": {func(l *Launcher) { l.Callback(dropAll); l.SetMode(ModeHybrid) }, syscall.EPERM},
		"securebits, none left":    {func(l *Launcher) { l.Callback(dropAll); l.SetSecbits(SecbitNoRoot) }, syscall.EPERM},
		"tuple, none left":         {func(l *Launcher) { l.Callback(dropAll); l.SetIAB(iabOf(1, 0, 0)) }, syscall.EPERM},
		"blocked, none left":       {func(l *Launcher) { l.Callback(dropAll); l.SetIAB(iabOf(0, 0, 1)) }, syscall.EPERM},
		"root, none left":          {func(l *Launcher) { l.Callback(dropAll); l.SetChroot("/") }, syscall.EPERM},
		"root after NOPRIV":        {func(l *Launcher) { l.SetMode(ModeNoPriv); l.SetChroot("/") }, syscall.EPERM},
		"no root":                  {func(l *Launcher) { l.SetChroot("/nonexistent") }, syscall.ENOENT},
		"uid -1":                   {func(l *Launcher) { l.SetUID(-1) }, syscall.EINVAL},
		"gid -1":                   {func(l *Launcher) { l.SetGroups(-1, nil) }, syscall.EINVAL},
		"group -1":                 {func(l *Launcher) { l.SetGroups(1, []int{-1}) }, syscall.EINVAL},
		"no mode":                  {func(l *Launcher) { l.SetMode(ModeUncertain) }, ErrBadMode},
		"zero tuple":               {func(l *Launcher) { l.SetIAB(&IAB{}) }, ErrBadValue},
		"callback, before uid -1": {func(l *Launcher) {
			l.SetUID(-1)
			l.Callback(func(*syscall.ProcAttr, any) error { return ErrBadSize })
		}, ErrBadSize},
		"attributes, before uid -1": {func(l *Launcher) {
			l.SetUID(-1)
			l.Callback(func(pa *syscall.ProcAttr, _ any) error {
				pa.Sys = &syscall.SysProcAttr{Chroot: "/"}
				return nil
			})
		}, ErrAmbiguousChroot},
	} {
		l := NewLauncher("/bin/true", []string{"true"}, nil)
		c.set(l)
		if pid, err := l.Launch(nil); pid != -1 || err != c.want {
			fmt.Printf("%s: %d, %v, want %v itself\n", name, pid, err, c.want)
		}
	}
	fmt.Println("done")
}

func TestLaunchSettings(t *testing.T) {
	requires.Root(t)
	denied := "-1 permission denied\n"
	for role, want := range map[string]string{
		"launch-bracketed": denied + denied + denied,
		"launch-lowers":    "done\n",
		"launch-ignores":   "done\n",
		"launch-errors":    "done\n",
	} {
		if r := reexec.Run(t, role, nil); r.Stdout != want || r.Status != 0 {
			t.Errorf("%s: status %d, got %s\n%s", role, r.Status, r.Stdout, r.Stderr)
		}
	}
}
