package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Call is a system call of the watched program, or of its child.
type Call struct {
	Place
	Args [6]uint64
	Path string // the path in the call, if it has one
	IP   uint64 // address of the next instruction

	// Restarted reports whether the child has executed the program again.
	Restarted bool
}

// Place identifies a call of a run.
type Place struct {
	NR    uintptr
	Child bool // a call of the child
	Other bool // a call that Watch.Other selects
	N     int  // number among such calls, from 1
}

// Fault is what happens to one call.
type Fault struct {
	Place
	Errno unix.Errno // the call returns this error, and is not made
	Value int64      // without Errno: the call returns this value, and is not made
	Kill  bool       // the process is killed instead
}

// Watch describes a run.
type Watch struct {
	Notify  string // the built program internal/test/faults/notify
	Program string // counting begins when this path is executed
	Calls   []uintptr
	Fault   *Fault
	Seen    func(Call) // called with each counted call; may be nil
	Timeout time.Duration

	// Other selects calls that are counted separately; may be nil.
	Other func(Call) bool

	// Handed is called before the child executes another program, with the ID of its
	// parent; may be nil.
	Handed func(parent int)
}

// Errors of Run: ErrTimeout if the program did not end in time, ErrLeft if it left a
// process behind. Both are killed. ErrZombie if it did not wait for its child; the
// caller of Run must be a subreaper, PR_SET_CHILD_SUBREAPER of prctl(2).
var (
	ErrTimeout = errors.New("the program did not end in time")
	ErrLeft    = errors.New("the program left a process behind")
	ErrZombie  = errors.New("the program has not waited for its child")
)

// leftTime is how long a process may outlive the program.
const leftTime = 2 * time.Second

// paths has the index of the argument that is a path.
var paths = map[uintptr]int{
	unix.SYS_EXECVE: 0, unix.SYS_OPENAT: 1, unix.SYS_NEWFSTATAT: 1, unix.SYS_CHROOT: 0,
	unix.SYS_CHDIR: 0, unix.SYS_STATFS: 0, unix.SYS_GETXATTR: 0, unix.SYS_STATX: 1, unix.SYS_FACCESSAT2: 1,
}

// notification is struct seccomp_notif, response struct seccomp_notif_resp.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type response struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

// Run runs cmd until it ends, under the filter. The first entry of its ExtraFiles
// must be nil. hit is the call that the fault happened to, or nil. See
// cmd.ProcessState for the exit status of the command, which is not an error of Run.
func (w *Watch) Run(cmd *exec.Cmd) (hit *Call, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := pair[0], os.NewFile(uintptr(pair[1]), "socket")
	defer unix.Close(ours)
	numbers := []string{strconv.Itoa(unix.SYS_EXECVE)}
	for _, nr := range w.Calls {
		if nr != unix.SYS_EXECVE {
			numbers = append(numbers, strconv.Itoa(int(nr)))
		}
	}
	cmd.Args = append([]string{"notify", strings.Join(numbers, ","), "--", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = w.Notify
	cmd.ExtraFiles[0] = theirs
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, err
	}
	listener, err := receive(ours, w.Timeout)
	if err == nil {
		f := family{}
		hit, err = w.supervise(listener, cmd.Process.Pid, &f)
		unix.Close(listener)
		if err != nil {
			f.kill()
		}
		if zombie := f.reap(); zombie != nil && err == nil {
			err = zombie
		}
	}
	if err != nil {
		cmd.Process.Kill()
	}
	_ = cmd.Wait()
	return hit, err
}

// receive returns the listener that the program passes.
func receive(socket int, timeout time.Duration) (int, error) {
	poll := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLIN}}
	if n, err := pollUntil(poll, time.Now().Add(timeout)); n == 0 {
		return -1, fmt.Errorf("no listener: %w", errors.Join(err, ErrTimeout))
	}
	var data [1]byte
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, data[:], control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return -1, fmt.Errorf("no listener: %w", errors.Join(err, errors.New("the program ended")))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

func pollUntil(fds []unix.PollFd, end time.Time) (int, error) {
	for {
		left := time.Until(end)
		if left <= 0 {
			return 0, nil
		}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// supervise answers calls until no process is left under the filter.
func (w *Watch) supervise(listener, pid int, f *family) (*Call, error) {
	ended, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(ended)
	end, late := time.Now().Add(w.Timeout), ErrTimeout
	counts := map[Place]int{}
	var hit *Call
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}, {Fd: int32(ended), Events: unix.POLLIN}}
		if late == ErrLeft {
			poll = poll[:1]
		}
		n, err := pollUntil(poll, end)
		switch {
		case err != nil:
			return hit, err
		case n == 0:
			return hit, late
		case poll[0].Revents == 0:
			end, late = time.Now().Add(leftTime), ErrLeft
			continue
		case poll[0].Revents&unix.POLLIN == 0:
			return hit, nil
		}
		var note notification
		if errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&note)); errno != 0 {
			if errno == unix.ENOENT || errno == unix.EINTR {
				// The process was killed, or got a signal.
				continue
			}
			return hit, fmt.Errorf("receive: %w", errno)
		}
		call := Call{Place: Place{NR: uintptr(note.nr)}, Args: note.args, IP: note.ip}
		if arg, ok := paths[call.NR]; ok {
			call.Path = readString(int(note.pid), note.args[arg])
		}
		answer := response{id: note.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		m := f.member(int(note.pid))
		counted := m != nil && !m.ended
		faulty := false
		if counted {
			call.Child, call.Restarted = m != &f.program, m.restarted
			call.Other = w.Other != nil && w.Other(call)
			call.N = counts[call.Place] + 1
			faulty = w.Fault != nil && hit == nil && call.Place == w.Fault.Place
		}
		restarts := call.NR == unix.SYS_EXECVE && call.Child && (call.Path == w.Program || call.Path == "/proc/self/exe")
		if faulty {
			if w.Fault.Kill {
				_ = unix.Kill(m.pid, unix.SIGKILL)
			}
			answer = response{id: note.id, val: w.Fault.Value}
			if w.Fault.Errno != 0 {
				answer.val, answer.err = 0, -int32(w.Fault.Errno)
			}
		} else if counted && call.Child && call.NR == unix.SYS_EXECVE && !restarts && w.Handed != nil {
			w.Handed(f.program.pid)
		}
		if errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer)); errno != 0 {
			if faulty && w.Fault.Kill {
				hit = &call
			}
			if errno == unix.ENOENT {
				// The process is gone, or got a signal: then it calls again.
				continue
			}
			return hit, fmt.Errorf("answer: %w", errno)
		}
		if faulty {
			hit = &call
		}
		if counted {
			alike := call.Place
			alike.N = 0
			counts[alike]++
			if w.Seen != nil {
				w.Seen(call)
			}
			if call.NR == unix.SYS_EXECVE && !faulty {
				// Calls of the target are not counted.
				m.restarted, m.ended = restarts, !restarts
			}
		}
		if f.program.pid == 0 && call.NR == unix.SYS_EXECVE && call.Path == w.Program {
			f.begin(int(note.pid))
		}
	}
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

// readString reads a path of another process.
func readString(pid int, at uint64) string {
	buf := make([]byte, 256)
	// Not beyond the end of a page: the next one may not be mapped.
	room := min(len(buf), 4096-int(at%4096))
	text := ""
	for len(text) < 2*len(buf) {
		local := []unix.Iovec{{Base: &buf[0], Len: uint64(room)}}
		remote := []unix.RemoteIovec{{Base: uintptr(at), Len: room}}
		n, err := unix.ProcessVMReadv(pid, local, remote, 0)
		if err != nil || n == 0 {
			break
		}
		part, _, whole := strings.Cut(string(buf[:n]), "\x00")
		if text += part; whole {
			break
		}
		at += uint64(n)
		room = min(len(buf), 4096-int(at%4096))
	}
	return text
}
