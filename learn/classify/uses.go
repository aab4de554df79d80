package classify

import (
	"caprun/engine/cred"
	"caprun/learn/observe"
)

// Use describes the checks of one capability in a recording. The numbers are of checks.
type Use struct {
	Strong, Weak, Denied, WeakDenied, Memory, Foreign int

	// StrongCalls, WeakCalls and DeniedCalls are the system calls of the strong checks, of
	// the weak checks, and of the denied ones, weak or not.
	StrongCalls, WeakCalls, DeniedCalls Calls

	// Commands are the names of the threads that caused these checks, the most frequent
	// first, at most MaxCommands.
	Commands []string
}

// Checks returns the number of checks that may matter: those that are neither of memory
// accounting nor against another user namespace.
func (u Use) Checks() int { return u.Strong + u.Weak + u.Denied + u.WeakDenied }

// MaxCommands is the largest number of names in Use.Commands.
const MaxCommands = 4

// Uses has the uses of the capabilities that were checked, by their numbers.
type Uses map[int]Use

// Summarize counts the checks of a recording. It returns nil for nil, which stands for a
// run without tracing. It ignores capability numbers outside 0 to 63.
func Summarize(r *observe.Recording) Uses {
	if r == nil {
		return nil
	}
	builders := map[int]*useBuilder{}
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Cap < 0 || c.Cap > 63 {
			continue
		}
		b := builders[c.Cap]
		if b == nil {
			b = &useBuilder{commands: map[string]int{}}
			builders[c.Cap] = b
		}
		b.add(c)
	}
	uses := make(Uses, len(builders))
	for n, b := range builders {
		uses[n] = b.use()
	}
	return uses
}

// Strong returns the capabilities with strong checks.
func (u Uses) Strong() cred.Caps {
	return u.where(func(use Use) bool { return use.Strong > 0 })
}

// Weak returns the capabilities with weak checks, granted or denied, and without strong
// ones.
func (u Uses) Weak() cred.Caps {
	return u.where(func(use Use) bool { return use.Strong == 0 && use.Weak+use.WeakDenied > 0 })
}

// Denied returns the capabilities that the kernel denied in a check that is not weak.
func (u Uses) Denied() cred.Caps {
	return u.where(func(use Use) bool { return use.Denied > 0 })
}

// Checked returns the capabilities with checks that may matter, see [Use.Checks].
func (u Uses) Checked() cred.Caps {
	return u.where(func(use Use) bool { return use.Checks() > 0 })
}

func (u Uses) where(match func(Use) bool) cred.Caps {
	var set cred.Caps
	for n, use := range u {
		if match(use) {
			set = set.With(n)
		}
	}
	return set
}

// useBuilder counts the checks of one capability.
type useBuilder struct {
	numbers              Use
	strong, weak, denied callCounter
	commands             map[string]int
}

func (b *useBuilder) add(c *observe.Check) {
	count := max(c.Count, 1)
	u := &b.numbers
	call := Call{Call: c.Call, Errno: c.Errno, Command: c.Command, Count: count, Netlink: calledBy(*c, netlinkFunctions)}
	switch ClassOf(*c) {
	case Memory:
		u.Memory += count
		return
	case Foreign:
		u.Foreign += count
		return
	case Strong:
		u.Strong += count
		b.strong.add(call)
	case Weak:
		u.Weak += count
		b.weak.add(call)
	case Denied:
		u.Denied += count
		b.denied.add(call)
	case WeakDenied:
		u.WeakDenied += count
		b.denied.add(call)
	}
	b.commands[c.Command] += count
}

func (b *useBuilder) use() Use {
	u := b.numbers
	u.StrongCalls, u.WeakCalls, u.DeniedCalls = b.strong.calls(), b.weak.calls(), b.denied.calls()
	u.Commands = mostFrequent(b.commands, MaxCommands)
	return u
}
