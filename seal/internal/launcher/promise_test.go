package launcher_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/launches"
	"caprun/seal/internal/interp/kernel"
)

// differences compares a target that started with what the profile declares, and with the
// caller's state in what it leaves to the caller.
func (s *scene) differences(t *kernel.Target) []string {
	if s.plan == nil {
		return []string{"it started, but caprun refuses: " + s.reason}
	}
	var list []string
	same := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			list = append(list, fmt.Sprintf("%s: %v, expected %v", what, got, want))
		}
	}
	want := s.plan.AfterExec
	want.Chrooted = t.Cred.Chrooted
	if s.equivalentGroups(&t.Cred, &want) {
		want.Groups = nil
	}
	for _, field := range t.Cred.Diff(want) {
		list = append(list, fmt.Sprintf("%s: %v, expected %v", field, fieldOf(&t.Cred, field), fieldOf(&want, field)))
	}
	same("AT_SECURE", t.Secure, s.plan.SecureExec)
	same("file", t.File.Path(), s.file.Path())
	same("arguments", fmt.Sprintf("%q", t.Args), fmt.Sprintf("%q", s.targetArguments()))
	env, wantEnv := s.comparable(t.Env), s.comparable(s.plan.Environ(s.start.Env))
	same("environment", fmt.Sprintf("%q", env), fmt.Sprintf("%q", wantEnv))

	root, cwd := s.world.Tree, s.task.Cwd
	if s.Profile.Chroot {
		root = root.Entries[dir[1:]].Entries[launches.Jail]
		cwd = root
	}
	switch s.Profile.Cwd {
	case "/":
		cwd = root
	case "/dir":
		if cwd = root.Entries["dir"]; !s.Profile.Chroot {
			cwd = root.Entries[dir[1:]].Entries["dir"]
		}
	}
	same("root directory", t.Root.Path(), root.Path())
	same("working directory", t.Cwd.Path(), cwd.Path())
	mask := s.task.Umask
	if s.profile.Umask != nil {
		mask = uint32(*s.profile.Umask)
	}
	same("umask", t.Umask, mask)
	files := maps.Clone(s.task.Files)
	maps.DeleteFunc(files, func(fd int, f kernel.File) bool {
		return f.CloseOnExec || fd > 2 && !slices.Contains(s.Profile.Keep, fd)
	})
	same("descriptors", slices.Sorted(maps.Keys(t.Files)), slices.Sorted(maps.Keys(files)))
	for fd, f := range t.Files {
		if f.Node != files[fd].Node {
			list = append(list, fmt.Sprintf("descriptor %d is another file", fd))
		}
	}
	same("limits", t.Limits, s.limits())
	s.compareProcess(t, same)
	return list
}

// comparable returns the variables, sorted, that must be the same: all, or all but the loader
// variables. A launcher may remove these without need, after a fault and for a program whose
// set-id bits or capabilities the kernel ignores.
func (s *scene) comparable(env []string) []string {
	list := slices.Sorted(slices.Values(env))
	f, p := s.Target.File, s.profile
	if ignored := (f.Setuid || f.Setgid || f.HasCaps) && !s.plan.Identity.Declared && p.Caps == nil; !ignored && !s.faulty {
		return list
	}
	return slices.DeleteFunc(list, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		_, set := s.plan.EnvPolicy().Value(name)
		return engine.IsLoaderVariable(name) && !set
	})
}

// equivalentGroups reports whether the target keeps the caller's empty list of groups instead
// of a list of its gid alone, where nothing can tell these apart: see groups.go of package
// engine.
func (s *scene) equivalentGroups(got, want *cred.Cred) bool {
	return len(s.task.Cred.Groups)+len(got.Groups) == 0 && slices.Equal(want.Groups, []uint32{want.GID}) && want.NoNewPrivs &&
		!want.Permitted.Union(want.Inheritable).Union(want.Ambient).Has(cred.SETGID)
}

// compareProcess compares the session, the keyring and the signals.
func (s *scene) compareProcess(t *kernel.Target, same func(what string, got, want any)) {
	session := s.task
	if s.profile.NewSession {
		session.Terminal = false
		if session.PGID != session.PID {
			session.PGID, session.SID = session.PID, session.PID
		}
	}
	same("session", []any{t.SID, t.PGID, t.Terminal}, []any{session.SID, session.PGID, session.Terminal})
	if fresh := s.plan.NewKeyring() && !s.plan.KeysUnreachable(); fresh {
		same("new keyring", t.Keyring != s.task.Keyring && t.Keyring > 1000, true)
	} else {
		same("keyring", t.Keyring, s.task.Keyring)
	}
	signal := s.task.DeathSignal
	if b, a := s.plan.BeforeExec, s.plan.AfterExec; s.plan.SecureExec || a.EUID != b.EUID || a.EGID != b.EGID || !a.Permitted.SubsetOf(b.Permitted) {
		signal = 0
	}
	same("parent-death signal", t.DeathSignal, signal)
	same("signal actions", t.Handlers, s.task.Handlers)
	same("signal mask", t.SignalMask, s.task.SignalMask)
	same("timer", t.Timer, s.task.Timer)
}

// limits returns the limits of the target.
func (s *scene) limits() [16]kernel.Limit {
	limits := s.task.Limits
	numbers := map[string]int{"cpu": 0, "fsize": 1, "stack": 3, "core": 4}
	for _, r := range s.profile.Rlimits {
		l := &limits[numbers[r.Name]]
		if !r.InheritSoft {
			l.Soft = r.Soft
		}
		if !r.InheritHard {
			l.Hard = r.Hard
		}
	}
	if s.plan.SecureExec {
		limits[3].Soft = min(limits[3].Soft, 8<<20)
	}
	return limits
}

// targetArguments returns the arguments of the file that exec executes.
func (s *scene) targetArguments() []string {
	if s.Target.Via == launches.Direct {
		return s.args
	}
	last := s.path[:strings.LastIndex(s.path, "/")+1]
	name := "target"
	if s.Target.Via == launches.PlainScript {
		name = "plain"
	}
	return append([]string{last + name, s.path}, s.args[1:]...)
}

func fieldOf(c *cred.Cred, field string) any {
	switch field {
	case "Groups":
		return c.Groups
	case "Inheritable":
		return c.Inheritable.String()
	case "Permitted":
		return c.Permitted.String()
	case "Effective":
		return c.Effective.String()
	case "Bounding":
		return c.Bounding.String()
	case "Ambient":
		return c.Ambient.String()
	case "Securebits":
		return c.Securebits.Names()
	case "NoNewPrivs":
		return c.NoNewPrivs
	}
	return fmt.Sprint(c.UID, c.EUID, c.SUID, c.FSUID, c.GID, c.EGID, c.SGID, c.FSGID)
}
