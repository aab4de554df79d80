package kernel

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"caprun/engine/cred"
	"caprun/seal/internal/interp"
	"caprun/seal/internal/op"
)

// World is what a launch cannot change: the kernel and the files. Several kernels may share
// one.
type World struct {
	Rules  cred.Rules
	Tree   *Node // the root directory of the mount namespace
	NrOpen uint64

	// OldMountIDs reports that statx does not know unique mount IDs: before Linux
	// 6.8.
	OldMountIDs bool

	// Filter answers a call instead of the kernel, as a filter of seccomp(2) does, if
	// ok is true.
	Filter func(nr op.Sys, args [6]uint64) (result int64, ok bool)

	// Stderr is what descriptor 2 is connected to.
	Stderr Stderr

	// KeyQuota reports that the user cannot have another keyring.
	KeyQuota bool
}

// Stderr is a kind of file for messages.
type Stderr int

const (
	Reading Stderr = iota // a process reads what is written
	Full                  // a full pipe that nobody reads
	Broken                // a pipe without a reader
)

// Task is the state that a launch can change and that the target inherits.
type Task struct {
	Cred      cred.Cred
	Root, Cwd *Node
	Umask     uint32
	Files     map[int]File
	Limits    [16]Limit

	PID, PPID, PGID, SID int
	Terminal             bool // it has a controlling terminal

	DeathSignal int
	Keyring     int32 // the serial number of the session keyring; 0 if there is none
	Handlers    [65]uint64
	SignalMask  uint64
	Timer       [4]uint64 // of ITIMER_REAL, see setitimer(2)
}

// Limit is a resource limit.
type Limit struct{ Soft, Hard uint64 }

// File is an open file.
type File struct {
	Node        *Node // anonymous for an eventfd
	CloseOnExec bool
	Path        bool // opened with O_PATH
	used        bool // read(2) was called
}

// Target is the state in which the target starts.
type Target struct {
	Task
	File      *Node // that the kernel executes
	Args, Env []string
	Secure    bool // AT_SECURE
}

// Kernel executes the system calls of a task. It implements [interp.Kernel].
type Kernel struct {
	*World
	Task

	// BadAddress makes a call with an address outside the memory return EFAULT, for a
	// program that was told of memory that it does not have.
	BadAddress bool

	Started  *Target // nil until an exec succeeds
	Messages []byte  // what was written to descriptor 2

	lastKeyring int32 // the serial number that was used last
}

// New returns a kernel for a task. It copies what it may change.
func New(w *World, t Task) *Kernel {
	k := &Kernel{World: w, Task: t, lastKeyring: max(t.Keyring, 1000)}
	k.Files = maps.Clone(t.Files)
	return k
}

// Clone returns a copy of the kernel in its present state.
func (k *Kernel) Clone() *Kernel {
	c := *k
	c.Files = maps.Clone(k.Files)
	c.Messages = slices.Clip(k.Messages)
	return &c
}

// call is a system call in execution.
type call struct {
	*Kernel
	args [6]uint64
	mem  *interp.Memory
}

// wrong is the panic value for a call that the test must not contain.
type wrong struct{ error }

func (c *call) fail(format string, args ...any) { panic(wrong{fmt.Errorf(format, args...)}) }

// badAddress ends a call with an address that the launcher must not use.
func (c *call) badAddress(err error) {
	if c.BadAddress {
		panic(stop{errBadAddress})
	}
	panic(wrong{err})
}

var errBadAddress = errors.New("bad address")

// need checks that the call has n arguments, and returns an error of the test otherwise.
func (c *call) need(n int) {
	for i := range n {
		if c.args[i] == interp.Unset {
			c.fail("argument %d is missing", i+1)
		}
	}
}

// zero checks that arguments are zero: those that no launcher has a reason to use.
func (c *call) zero(list ...int) {
	for _, i := range list {
		if c.args[i] != 0 {
			c.fail("argument %d is %#x, expected 0", i+1, c.args[i])
		}
	}
}

func (c *call) id(n int) uint32 { return uint32(c.args[n]) }
func (c *call) fd(n int) int    { return int(int32(c.args[n])) }

func (c *call) read(addr uint64, size int) []byte {
	b, err := c.mem.Read(addr, size)
	if err != nil {
		c.badAddress(err)
	}
	return b
}

func (c *call) write(addr uint64, b []byte) {
	if err := c.mem.Write(addr, b); err != nil {
		c.badAddress(err)
	}
}

func (c *call) text(addr uint64) string {
	s, err := c.mem.Text(addr)
	if err != nil {
		c.badAddress(err)
	}
	return s
}

// Syscall executes a system call.
func (k *Kernel) Syscall(nr op.Sys, args [6]uint64, mem *interp.Memory) (result int64, err error) {
	if k.Filter != nil {
		if result, ok := k.Filter(nr, args); ok {
			return result, nil
		}
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case wrong:
			err = r.error
		case stop:
			if err = r.error; err == errBadAddress {
				result, err = -EFAULT, nil
			}
		default:
			panic(r)
		}
	}()
	if nr >= op.Syscalls || calls[nr].do == nil {
		return 0, fmt.Errorf("%v is not modelled", nr)
	}
	c := &call{k, args, mem}
	c.need(calls[nr].args)
	return calls[nr].do(c), nil
}

// stop is the panic value for a call that does not return.
type stop struct{ error }

// calls has the number of arguments and the model of each call.
var calls [op.Syscalls]struct {
	args int
	do   func(c *call) int64
}

func init() {
	set := func(nr op.Sys, args int, do func(c *call) int64) {
		calls[nr].args, calls[nr].do = args, do
	}
	set(op.Capget, 2, (*call).capget)
	set(op.Capset, 2, (*call).capset)
	set(op.Prctl, 1, (*call).prctl)
	set(op.Getresuid, 3, (*call).getresuid)
	set(op.Getresgid, 3, (*call).getresgid)
	set(op.Setresuid, 3, (*call).setresuid)
	set(op.Setresgid, 3, (*call).setresgid)
	set(op.Setfsuid, 1, (*call).setfsuid)
	set(op.Setfsgid, 1, (*call).setfsgid)
	set(op.Getgroups, 2, (*call).getgroups)
	set(op.Setgroups, 2, (*call).setgroups)
	set(op.Getpid, 0, func(c *call) int64 { return int64(c.PID) })
	set(op.Getppid, 0, func(c *call) int64 { return int64(c.PPID) })
	set(op.Getpgid, 1, (*call).getpgid)
	set(op.Getsid, 1, (*call).getsid)
	set(op.Setsid, 0, (*call).setsid)
	set(op.Keyctl, 2, (*call).keyctl)
	set(op.AddKey, 5, (*call).addKey)
	set(op.RequestKey, 4, (*call).addKey)
	set(op.Umask, 1, (*call).umask)
	set(op.Prlimit64, 4, (*call).prlimit)
	set(op.Chroot, 1, (*call).chroot)
	set(op.Chdir, 1, (*call).chdir)
	set(op.Statx, 5, (*call).statx)
	set(op.Fstatfs, 2, (*call).fstatfs)
	set(op.Getxattr, 4, (*call).getxattr)
	set(op.Openat, 3, (*call).openat)
	set(op.Pread64, 4, (*call).pread)
	set(op.Read, 3, (*call).readFile)
	set(op.Close, 1, (*call).close)
	set(op.CloseRange, 3, (*call).closeRange)
	set(op.Eventfd2, 2, (*call).eventfd)
	set(op.Fcntl, 2, (*call).fcntl)
	set(op.Ioctl, 2, (*call).ioctl)
	set(op.Faccessat2, 4, (*call).faccessat)
	set(op.RtSigaction, 4, (*call).sigaction)
	set(op.RtSigprocmask, 4, (*call).sigprocmask)
	set(op.Setitimer, 3, (*call).setitimer)
	set(op.Write, 3, (*call).writeFile)
	set(op.Mmap, 6, (*call).mmap)
	set(op.Execve, 3, (*call).execve)
	set(op.ExitGroup, 1, func(*call) int64 { panic(stop{interp.ErrExit}) })
}
