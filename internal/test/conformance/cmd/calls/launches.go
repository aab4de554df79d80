package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"caprun/cap"
)

func itoa(n int) string { return strconv.Itoa(n) }

// target prints its arguments and credentials.
var target = []string{"sh", "-c", `pwd; echo "$0 $# $MARK"; grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/self/status`, "zero", "one"}

// launchCalls start a program, or call a function, and print its state.
func launchCalls() []call {
	var list []call
	add := func(name string, build func() *cap.Launcher) {
		list = append(list, call{name: "Launch " + name, do: func() {
			l := build()
			pid, err := l.Launch("data")
			// The output of the target comes first.
			var status syscall.WaitStatus
			if pid > 0 {
				_, waited := syscall.Wait4(pid, &status, 0, nil)
				check(waited)
			}
			show(pid == -1, pid == 0, pid > 0, err, status.ExitStatus())
			state()
		}})
	}
	program := func(set func(l *cap.Launcher)) func() *cap.Launcher {
		return func() *cap.Launcher {
			check(os.Setenv("MARK", "inherited"))
			l := cap.NewLauncher("/bin/sh", target, nil)
			set(l)
			return l
		}
	}
	tuple := func(text string) *cap.IAB { t, err := cap.IABFromText(text); check(err); return t }
	drop := func(*syscall.ProcAttr, any) error { return cap.NewSet().SetProc() }
	lower := func(*syscall.ProcAttr, any) error {
		c := cap.GetProc()
		return errors.Join(c.ClearFlag(cap.Effective), c.SetProc())
	}

	settings := map[string]func(l *cap.Launcher){
		"plain":            func(*cap.Launcher) {},
		"uid 0":            func(l *cap.Launcher) { l.SetUID(0) },
		"uid 1000":         func(l *cap.Launcher) { l.SetUID(1000) },
		"uid 100000":       func(l *cap.Launcher) { l.SetUID(100000) },
		"uid -1":           func(l *cap.Launcher) { l.SetUID(-1) },
		"groups":           func(l *cap.Launcher) { l.SetGroups(1000, []int{7, 6, 6}) },
		"groups, none":     func(l *cap.Launcher) { l.SetGroups(1000, nil) },
		"groups -1":        func(l *cap.Launcher) { l.SetGroups(-1, nil) },
		"groups with -1":   func(l *cap.Launcher) { l.SetGroups(1000, []int{-1}) },
		"ids":              func(l *cap.Launcher) { l.SetUID(1000); l.SetGroups(1000, []int{1000}) },
		"nil tuple":        func(l *cap.Launcher) { l.SetIAB(nil) },
		"empty tuple":      func(l *cap.Launcher) { l.SetIAB(cap.NewIAB()) },
		"tuple":            func(l *cap.Launcher) { l.SetIAB(tuple("cap_kill,!cap_chown,!%cap_fowner")) },
		"ambient tuple":    func(l *cap.Launcher) { l.SetIAB(tuple("^cap_kill")) },
		"ids and tuple":    func(l *cap.Launcher) { l.SetUID(1000); l.SetGroups(1000, nil); l.SetIAB(tuple("^cap_kill,!cap_chown")) },
		"uid -1 and mode":  func(l *cap.Launcher) { l.SetUID(-1); l.SetMode(0) },
		"mode and ids":     func(l *cap.Launcher) { l.SetMode(cap.ModePure1E); l.SetUID(1000); l.SetGroups(1000, nil) },
		"mode and blocked": func(l *cap.Launcher) { l.SetMode(cap.ModeNoPriv); l.SetIAB(tuple("!cap_chown")) },
		"PURE1E and tuple": func(l *cap.Launcher) { l.SetMode(cap.ModePure1E); l.SetIAB(tuple("cap_kill")) },
		"HYBRID and tuple": func(l *cap.Launcher) { l.SetMode(cap.ModeHybrid); l.SetIAB(tuple("^cap_kill")) },
		"root, NOPRIV":     func(l *cap.Launcher) { l.SetMode(cap.ModeNoPriv); l.SetChroot("/") },
		"no root":          func(l *cap.Launcher) { l.SetChroot("/nonexistent") },
		"root and dir": func(l *cap.Launcher) {
			l.SetChroot("/")
			l.Callback(func(pa *syscall.ProcAttr, _ any) error { pa.Dir = "/etc"; return nil })
		},
		"own path": func(l *cap.Launcher) {
			// A directory that only root can use; the effective set may be empty.
			*l = *cap.NewLauncher(filepath.Join(os.Getenv("CONFORMANCE_DIRECTORY"), "private", "program"), []string{"program"}, nil)
		},
		"own path, lowered": func(l *cap.Launcher) {
			*l = *cap.NewLauncher(filepath.Join(os.Getenv("CONFORMANCE_DIRECTORY"), "private", "program"), []string{"program"}, nil)
			l.Callback(lower)
		},
		"own path and all": func(l *cap.Launcher) {
			*l = *cap.NewLauncher(filepath.Join(os.Getenv("CONFORMANCE_DIRECTORY"), "private", "program"), []string{"program"}, nil)
			l.SetGroups(1000, nil)
			l.SetUID(1000)
			l.SetMode(cap.ModeHybrid)
			l.SetIAB(tuple("^cap_kill,!cap_chown"))
		},
		"a callback that fails": func(l *cap.Launcher) {
			l.SetUID(-1)
			l.Callback(func(pa *syscall.ProcAttr, data any) error { return fmt.Errorf("callback: %v", data) })
		},
		"no callback again": func(l *cap.Launcher) { l.Callback(drop); l.Callback(nil) },
		"attributes": func(l *cap.Launcher) {
			l.Callback(func(pa *syscall.ProcAttr, _ any) error {
				show(len(pa.Files), len(pa.Env) == len(os.Environ()), pa.Dir, pa.Sys == nil)
				pa.Env, pa.Dir = []string{"MARK=callback"}, "/"
				return nil
			})
		},
		"no program":              func(l *cap.Launcher) { *l = *cap.NewLauncher("/nonexistent", []string{"x"}, nil) },
		"a directory":             func(l *cap.Launcher) { *l = *cap.NewLauncher("/etc", []string{"x"}, nil) },
		"a path with NUL":         func(l *cap.Launcher) { *l = *cap.NewLauncher("/\x00", []string{"x"}, nil) },
		"an argument with NUL":    func(l *cap.Launcher) { *l = *cap.NewLauncher("/bin/sh", []string{"\x00"}, nil) },
		"no path in PATH":         func(l *cap.Launcher) { *l = *cap.NewLauncher("sh", []string{"sh"}, nil) },
		"no arguments":            func(l *cap.Launcher) { *l = *cap.NewLauncher("/bin/true", nil, nil) },
		"no path":                 func(l *cap.Launcher) { *l = *cap.NewLauncher("", []string{"x"}, nil) },
		"no arguments, callback":  func(l *cap.Launcher) { *l = *cap.NewLauncher("/bin/true", nil, nil); l.Callback(lower) },
		"no path, but a callback": func(l *cap.Launcher) { *l = *cap.NewLauncher("", nil, nil); l.Callback(drop); l.SetUID(-1) },
		"environment":             func(l *cap.Launcher) { *l = *cap.NewLauncher("/bin/sh", target, []string{"MARK=own"}) },
		"a zero Launcher":         func(l *cap.Launcher) { *l = cap.Launcher{} },

		// Calls that differ.
		"zero tuple":        func(l *cap.Launcher) { l.SetIAB(new(cap.IAB)) },
		"tuple of 63":       func(l *cap.Launcher) { l.SetIAB(tuple("63")) },
		"empty environment": func(l *cap.Launcher) { *l = *cap.NewLauncher("/bin/sh", target, []string{}) },
		"root":              func(l *cap.Launcher) { l.SetChroot("/") },
		"root, callback sets Sys": func(l *cap.Launcher) {
			l.SetChroot("/nonexistent")
			l.Callback(func(pa *syscall.ProcAttr, _ any) error { pa.Sys = &syscall.SysProcAttr{}; return nil })
		},
		"PURE1E, ambient":          func(l *cap.Launcher) { l.SetMode(cap.ModePure1E); l.SetIAB(tuple("^cap_kill")) },
		"NOPRIV, ambient":          func(l *cap.Launcher) { l.SetMode(cap.ModeNoPriv); l.SetIAB(tuple("^cap_kill")) },
		"PURE1E_INIT, inheritable": func(l *cap.Launcher) { l.SetMode(cap.ModePure1EInit); l.SetIAB(tuple("cap_kill")) },
		"NOPRIV, inheritable":      func(l *cap.Launcher) { l.SetMode(cap.ModeNoPriv); l.SetIAB(tuple("cap_kill")) },
		"uid of more than 32 bits": func(l *cap.Launcher) { l.SetUID(1<<32 + 1000) },
		"slices changed later": func(l *cap.Launcher) {
			args, groups := append([]string(nil), target...), []int{7}
			*l = *cap.NewLauncher("/bin/sh", args, nil)
			l.SetGroups(1000, groups)
			args[3], groups[0] = "changed", 8
		},
	}
	for mode := range 6 {
		settings["mode "+itoa(mode)] = func(l *cap.Launcher) { l.SetMode(cap.Mode(mode)) }
	}
	for name, set := range map[string]func(l *cap.Launcher){
		"uid 0": settings["uid 0"], "uid 1": func(l *cap.Launcher) { l.SetUID(1) }, "gid 0": func(l *cap.Launcher) { l.SetGroups(0, nil) },
		"HYBRID": settings["mode 4"], "PURE1E": settings["mode 3"], "empty tuple": settings["empty tuple"],
		"tuple": func(l *cap.Launcher) { l.SetIAB(tuple("cap_kill")) }, "blocked": func(l *cap.Launcher) { l.SetIAB(tuple("!cap_kill")) },
		"root": func(l *cap.Launcher) { l.SetChroot("/nonexistent") },
	} {
		settings["dropped, "+name] = func(l *cap.Launcher) { set(l); l.Callback(drop) }
		settings["lowered, "+name] = func(l *cap.Launcher) { set(l); l.Callback(lower) }
	}
	for name, set := range map[string]func(*syscall.SysProcAttr){
		"root":    func(s *syscall.SysProcAttr) { s.Chroot = "/" },
		"ids":     func(s *syscall.SysProcAttr) { s.Credential = &syscall.Credential{} },
		"ambient": func(s *syscall.SysProcAttr) { s.AmbientCaps = []uintptr{1} },
		"all": func(s *syscall.SysProcAttr) {
			s.Chroot, s.Credential, s.AmbientCaps = "/", &syscall.Credential{}, []uintptr{1}
		},
		"session": func(s *syscall.SysProcAttr) { s.Setsid = true },
	} {
		settings["callback sets "+name] = func(l *cap.Launcher) {
			if name != "session" {
				l.SetUID(-1)
			}
			l.Callback(func(pa *syscall.ProcAttr, _ any) error {
				pa.Sys = &syscall.SysProcAttr{}
				set(pa.Sys)
				return nil
			})
		}
	}
	for name, set := range settings {
		add(name, program(set))
	}

	function := func(data any) error {
		show(data)
		show(cap.SetUID(1))
		show(cap.GetProc())
		return cap.NewSet().SetProc()
	}
	add("nil", func() *cap.Launcher { return nil })
	add("of a function", func() *cap.Launcher { return cap.FuncLauncher(function) })
	add("of a function that fails", func() *cap.Launcher { return cap.FuncLauncher(func(any) error { return syscall.EBADE }) })
	add("of a function, settings", func() *cap.Launcher {
		l := cap.FuncLauncher(function)
		l.SetUID(-1)
		l.SetGroups(-1, []int{-1})
		l.SetMode(0)
		l.SetIAB(tuple("63"))
		l.SetChroot("/nonexistent")
		return l
	})
	add("of a function that launches", func() *cap.Launcher {
		return cap.FuncLauncher(func(any) error {
			show(cap.NewSet().SetProc())
			pid, err := cap.NewLauncher("/bin/sh", target, nil).Launch(nil)
			if err == nil {
				_, err = syscall.Wait4(pid, nil, 0, nil)
			}
			return err
		})
	})
	add("of no function", func() *cap.Launcher { return cap.FuncLauncher(nil) })
	// These never return in one of the packages.
	waits := func(name string, build func() *cap.Launcher) {
		add(name, func() *cap.Launcher {
			time.AfterFunc(10*time.Second, func() { fmt.Println("waits"); os.Exit(0) })
			return build()
		})
		list[len(list)-1].once = true
	}
	waits("ended by Goexit", func() *cap.Launcher {
		_, err := cap.FuncLauncher(func(any) error { runtime.Goexit(); return nil }).Launch(nil)
		show(err, cap.GetProc().SetProc())
		return cap.NewLauncher("", nil, nil)
	})
	waits("with setters in the callback", func() *cap.Launcher {
		l := cap.NewLauncher("/bin/true", []string{"true"}, nil)
		l.Callback(func(*syscall.ProcAttr, any) error { l.Callback(nil); return nil })
		return l
	})
	return list
}
