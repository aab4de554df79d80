package launcher_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/command"
	"caprun/internal/test/requires"
	"caprun/seal/internal/interp"
	"caprun/seal/internal/interp/kernel"
	"caprun/seal/internal/op"
)

// fault is a result of a system call that the kernel would not return. A fault that is not
// possible for a call changes nothing and returns false.
type fault struct {
	name  string
	apply func(c interp.Call, m *interp.Machine, k *kernel.Kernel) (result int64, possible bool)
}

// errnos are the error numbers that a launcher distinguishes, and others.
var errnos = []int64{
	kernel.EPERM, kernel.ENOENT, kernel.EACCES, kernel.EINVAL, kernel.ENOSYS, kernel.EBADF, kernel.ENXIO, kernel.ENOTTY, kernel.ENODATA,
	kernel.EOPNOTSUPP, kernel.EMFILE, kernel.ENFILE, kernel.EAGAIN, kernel.EINTR, kernel.ENOTDIR, kernel.ELOOP, kernel.ERANGE,
	kernel.ENOEXEC, kernel.E2BIG, kernel.ETXTBSY, kernel.ENOMEM, kernel.ESRCH, kernel.EDQUOT, kernel.EIO,
}

// faults are all faults of one call.
var faults = makeFaults()

func makeFaults() []fault {
	var list []fault
	for _, errno := range errnos {
		list = append(list, fault{fmt.Sprintf("error %d", errno), func(interp.Call, *interp.Machine, *kernel.Kernel) (int64, bool) {
			return -errno, true
		}})
	}
	return append(list,
		fault{"no effect, result 0", func(interp.Call, *interp.Machine, *kernel.Kernel) (int64, bool) { return 0, true }},
		fault{"no effect, result 1", func(interp.Call, *interp.Machine, *kernel.Kernel) (int64, bool) { return 1, true }},
		fault{"no effect, usual result", noEffect},
		fault{"short", short},
		fault{"no_cap_ambient_raise", securebits(cred.SecNoCapAmbientRaise)},
		fault{"no_cap_ambient_raise_locked", securebits(cred.SecNoCapAmbientRaiseLocked)})
}

// securebits returns a fault of the call that reads the securebits. With one of these bits,
// a launcher sets others temporarily.
func securebits(bits cred.Securebits) func(interp.Call, *interp.Machine, *kernel.Kernel) (int64, bool) {
	return func(c interp.Call, _ *interp.Machine, _ *kernel.Kernel) (int64, bool) {
		const getSecurebits = 27
		return int64(bits), c.Sys == op.Prctl && c.Args[0] == getSecurebits
	}
}

// noEffect returns what the kernel would, without the effect of the call.
func noEffect(c interp.Call, m *interp.Machine, k *kernel.Kernel) (int64, bool) {
	result, err := k.Clone().Syscall(c.Sys, c.Args, &m.Clone().Memory)
	return result, err == nil
}

// short returns half of the result of a call that reads.
func short(c interp.Call, m *interp.Machine, k *kernel.Kernel) (int64, bool) {
	size := map[op.Sys]int64{op.Read: 1, op.Pread64: 1, op.Getgroups: 4, op.Write: 0}
	unit, reads := size[c.Sys]
	if !reads {
		return 0, false
	}
	scratch := m.Clone()
	result, err := k.Syscall(c.Sys, c.Args, &scratch.Memory)
	if err != nil || result < 1 || c.Sys == op.Getgroups && c.Args[0] == 0 {
		return 0, false
	}
	result /= 2
	if n := int(result * unit); n > 0 {
		b, err := scratch.Read(c.Args[1], n)
		if err == nil {
			err = m.Write(c.Args[1], b)
		}
		if err != nil {
			return 0, false
		}
	}
	return result, true
}

// injector runs a launcher with faults.
type injector struct {
	t     testing.TB
	s     *scene
	count int            // of runs
	ends  map[string]int // how they ended
	wrong map[string]int // by call and fault
}

// every runs the launcher once for each fault of each of its system calls, and continues
// from there.
func (i *injector) every(program *op.Program, which func(n int, c interp.Call, fault int) bool) {
	i.s.faulty = true
	m, err := interp.New(program, i.s.start)
	if err != nil {
		i.t.Fatal(err)
	}
	k := kernel.New(i.s.world, i.s.task)
	for n := 0; ; n++ {
		call, err := m.Next()
		if err != nil {
			i.t.Errorf("%v\n%v", err, i.s)
			return
		}
		for f := range faults {
			if which(n, call, f) {
				i.one(n, call, &faults[f], m.Clone(), k.Clone())
			}
		}
		result, err := k.Syscall(call.Sys, call.Args, &m.Memory)
		if err != nil {
			return
		}
		m.Return(result)
	}
}

// one continues with a fault.
func (i *injector) one(n int, call interp.Call, f *fault, m *interp.Machine, k *kernel.Kernel) {
	result, possible := f.apply(call, m, k)
	if !possible {
		return
	}
	i.count++
	m.Return(result)
	k.BadAddress = call.Sys == op.Mmap
	i.report(fmt.Sprintf("call %d, %v%x, %s", n, call.Sys, call.Args, f.name), i.check(m, k))
}

// report reports what is wrong, once for each cause.
func (i *injector) report(fault string, wrong []string) {
	if wrong == nil {
		return
	}
	key := fmt.Sprintf("%.100s: %.90s", numbers.ReplaceAllString(fault, "N"), numbers.ReplaceAllString(wrong[0], "N"))
	i.ends["WRONG"]++
	if i.wrong[key]++; i.wrong[key] == 1 {
		i.t.Errorf("%s:\n%s\n%v", fault, strings.Join(wrong, "\n"), i.s)
	}
}

// check executes the remaining operations, and returns what is wrong with the outcome. What
// a call without effect has not written must not matter.
func (i *injector) check(m *interp.Machine, k *kernel.Kernel) []string {
	wrong := i.finish(m.Clone(), k.Clone())
	if wrong == nil || !strings.Contains(wrong[0], "were not all written") {
		return wrong
	}
	i.ends["read garbage"]++
	wrong = nil
	for _, garbage := range []byte{0, 1, 0xff} {
		again := m.Clone()
		again.Garbage = &garbage
		wrong = append(wrong, i.finish(again, k.Clone())...)
	}
	return wrong
}

// finish executes the remaining operations, and returns what is wrong with the outcome.
func (i *injector) finish(m *interp.Machine, k *kernel.Kernel) []string {
	o, err := m.Finish(k)
	switch {
	case err != nil && k.BadAddress && strings.Contains(err.Error(), "outside the memory"):
		i.ends["killed"]++
	case err != nil && strings.Contains(err.Error(), "waits for a reader"):
		i.ends["blocked"]++ // without an alarm
	case err != nil:
		return []string{err.Error()}
	case o.Exec:
		i.ends["started"]++
		return i.s.differences(k.Started)
	case o.Killed:
		i.ends["killed"]++
	case o.Status < 125 || o.Status > 127:
		return []string{fmt.Sprintf("exit status %d", o.Status)}
	default:
		i.ends["refused"]++
	}
	return nil
}

// TestFaults lets each system call of the launchers of random profiles fail in each way. The
// target must not start, or start in the state that caprun gives it.
//
// CAPRUN_TEST_FAULTS and CAPRUN_TEST_SEED choose other cases.
func TestFaults(t *testing.T) {
	count := int(command.Number(t, "CAPRUN_TEST_FAULTS", uint64(requires.Rounds(20, 400))))
	seed := command.Number(t, "CAPRUN_TEST_SEED", 1)
	i := &injector{t: t, ends: map[string]int{}, wrong: map[string]int{}}
	const all = 10 // of the first scenes, every fault
	scenes := 0
	for index := 0; scenes < count; index++ {
		s := newScene(seed, index)
		if s == nil {
			continue
		}
		program, err := s.build()
		if err != nil {
			continue
		}
		scenes++
		i.s = s
		i.every(program, selection(seed, index, scenes <= all))
	}
	t.Logf("%d profiles, %d runs: %v", scenes, i.count, i.ends)
	for _, key := range slices.Sorted(maps.Keys(i.wrong)) {
		t.Logf("%6d %s", i.wrong[key], key)
	}
}

// TestFilters runs the launchers of random profiles under filters that answer every call of a
// kind, as a filter of seccomp(2) does.
//
// CAPRUN_TEST_FILTERS and CAPRUN_TEST_SEED choose other cases.
func TestFilters(t *testing.T) {
	count := int(command.Number(t, "CAPRUN_TEST_FILTERS", uint64(requires.Rounds(15, 300))))
	seed := command.Number(t, "CAPRUN_TEST_SEED", 1)
	i := &injector{t: t, ends: map[string]int{}, wrong: map[string]int{}}
	scenes := 0
	for index := 0; scenes < count; index++ {
		s := newScene(seed, index)
		if s == nil {
			continue
		}
		program, err := s.build()
		if err != nil {
			continue
		}
		scenes++
		s.faulty = true
		i.s = s
		i.filters(program)
	}
	t.Logf("%d profiles, %d runs: %v", scenes, i.count, i.ends)
	for _, key := range slices.Sorted(maps.Keys(i.wrong)) {
		t.Logf("%6d %s", i.wrong[key], key)
	}
}

// kind is the calls that a filter answers: those with the operation, if the first or second
// argument is one.
type kind struct {
	sys       op.Sys
	operation uint64
}

func kindOf(sys op.Sys, args [6]uint64) kind {
	switch sys {
	case op.Prctl, op.Keyctl:
		return kind{sys, args[0]}
	case op.Fcntl, op.Ioctl:
		return kind{sys, args[1]}
	}
	return kind{sys, 0}
}

// filters runs the launcher once for each kind of call that it makes, and each answer.
func (i *injector) filters(program *op.Program) {
	kinds := map[kind]bool{}
	plain := *i.s.world
	observed := plain
	observed.Filter = func(nr op.Sys, args [6]uint64) (int64, bool) {
		kinds[kindOf(nr, args)] = true
		if plain.Filter != nil {
			return plain.Filter(nr, args)
		}
		return 0, false
	}
	if _, err := interp.Run(program, kernel.New(&observed, i.s.task), i.s.start); err != nil {
		i.t.Errorf("%v\n%v", err, i.s)
	}
	for _, filtered := range sortedKinds(kinds) {
		for _, errno := range append([]int64{0, -1}, errnos...) {
			world := plain
			world.Filter = func(nr op.Sys, args [6]uint64) (int64, bool) {
				if kindOf(nr, args) == filtered {
					return -errno, true
				}
				if plain.Filter != nil {
					return plain.Filter(nr, args)
				}
				return 0, false
			}
			m, err := interp.New(program, i.s.start)
			if err != nil {
				i.t.Fatal(err)
			}
			i.count++
			k := kernel.New(&world, i.s.task)
			k.BadAddress = filtered.sys == op.Mmap
			if filtered.sys == op.ExitGroup || undetectable(filtered, -errno) {
				continue
			}
			i.report(fmt.Sprintf("%v %d always returns %d", filtered.sys, filtered.operation, -errno), i.check(m, k))
		}
	}
}

// undetectable reports whether a launcher cannot notice a filter, because without /proc the
// kernel tells the truth in no other way: one that answers, each time, that no_new_privs is
// set, which ambient capabilities or securebits are, that the umask was the declared one, or
// that no file has capabilities.
func undetectable(k kind, result int64) bool {
	const getSecurebits, getNoNewPrivs, ambient = 27, 39, 47
	switch k {
	case kind{op.Prctl, getSecurebits}, kind{op.Prctl, ambient}:
		return result >= 0
	case kind{op.Prctl, getNoNewPrivs}:
		return result == 1
	case kind{op.Getxattr, 0}:
		return result == -kernel.ENODATA || result == -kernel.EOPNOTSUPP
	}
	return k.sys == op.Umask
}

func sortedKinds(kinds map[kind]bool) []kind {
	return slices.SortedFunc(maps.Keys(kinds), func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.sys, b.sys), cmp.Compare(a.operation, b.operation))
	})
}

// selection returns which faults of which calls to try: all of them, or every one that
// returns a value, and a quarter of the errors, but few for the calls that ask about one
// capability after the other.
func selection(seed uint64, index int, all bool) func(int, interp.Call, int) bool {
	r := rand.New(rand.NewPCG(seed+2, uint64(index)))
	return func(_ int, c interp.Call, f int) bool {
		switch {
		case all:
			return true
		case c.Sys == op.Prctl && (c.Args[0] == 23 || c.Args[0] == 24 || c.Args[0] == 47):
			return r.IntN(12) == 0
		case f < len(errnos):
			return r.IntN(4) == 0
		}
		return true
	}
}

// FuzzLauncher chooses a scene, and a call with its fault.
func FuzzLauncher(f *testing.F) {
	f.Add(uint64(1), uint16(0), uint16(50), uint8(0))
	f.Add(uint64(2), uint16(3), uint16(100), uint8(25))
	f.Fuzz(func(t *testing.T, seed uint64, index, call uint16, which uint8) {
		s := newScene(seed, int(index))
		if s == nil {
			t.Skip()
		}
		program, err := s.build()
		if err != nil {
			t.Skip()
		}
		i := &injector{t: t, s: s, ends: map[string]int{}, wrong: map[string]int{}}
		i.every(program, func(n int, _ interp.Call, f int) bool { return n == int(call) && f == int(which)%len(faults) })
	})
}
