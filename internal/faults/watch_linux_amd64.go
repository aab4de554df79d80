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

// Call is a system call of the watched program.
type Call struct {
	NR   uintptr
	Args [6]uint64
	Path string // what the call names, for those that name a file
	N    int    // the how manieth call of this number it is, from 1
}

// Fault is what happens to one call.
type Fault struct {
	NR    uintptr
	N     int        // the how manieth call of this number, from 1
	Errno unix.Errno // the error that it gives, without being made
	Value int64      // without Errno: what it returns, without being made
	Kill  bool       // the program is killed instead
}

// Watch describes a run.
type Watch struct {
	Notify  string // the built program internal/faults/notify
	Program string // counting begins when this path is executed
	Calls   []uintptr
	Fault   *Fault
	Seen    func(Call) // sees each call that is counted; may be nil
	Timeout time.Duration
}

// ErrTimeout is returned for a program that has not ended in time. It is killed.
var ErrTimeout = errors.New("the program did not end in time")

// paths says which argument of a call is a path.
var paths = map[uintptr]int{
	unix.SYS_EXECVE: 0, unix.SYS_OPENAT: 1, unix.SYS_NEWFSTATAT: 1, unix.SYS_CHROOT: 0,
	unix.SYS_CHDIR: 0, unix.SYS_STATFS: 0, unix.SYS_GETXATTR: 0,
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

// Run runs cmd, whose first ExtraFiles entry must be nil, under the filter
// until it ends. hit is the call that the fault happened to; nil if there was
// none. The error of the command itself is not one of Run: see
// cmd.ProcessState.
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
		hit, err = w.supervise(listener, cmd.Process.Pid)
		unix.Close(listener)
	}
	if err != nil {
		cmd.Process.Kill()
	}
	_ = cmd.Wait()
	return hit, err
}

// receive returns the descriptor that the program hands over.
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

// supervise answers until no process is left under the filter.
func (w *Watch) supervise(listener, pid int) (*Call, error) {
	end := time.Now().Add(w.Timeout)
	counts := map[uintptr]int{}
	var hit *Call
	begun, ended := false, false
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		n, err := pollUntil(poll, end)
		switch {
		case err != nil:
			return hit, err
		case n == 0:
			return hit, ErrTimeout
		case poll[0].Revents&unix.POLLIN == 0:
			return hit, nil
		}
		var note notification
		if errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&note)); errno != 0 {
			if errno == unix.ENOENT || errno == unix.EINTR {
				// It was killed, or a signal came, before it could be asked.
				continue
			}
			return hit, fmt.Errorf("receive: %w", errno)
		}
		call := Call{NR: uintptr(note.nr), Args: note.args}
		if arg, ok := paths[call.NR]; ok {
			call.Path = readString(int(note.pid), note.args[arg])
		}
		answer := response{id: note.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		starts := !begun && call.NR == unix.SYS_EXECVE && call.Path == w.Program
		counted := begun && !ended
		faulty := false
		if counted {
			call.N = counts[call.NR] + 1
			faulty = w.Fault != nil && hit == nil && call.NR == w.Fault.NR && call.N == w.Fault.N
		}
		if faulty {
			if w.Fault.Kill {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
			answer = response{id: note.id, val: w.Fault.Value}
			if w.Fault.Errno != 0 {
				answer.val, answer.err = 0, -int32(w.Fault.Errno)
			}
		}
		if errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer)); errno != 0 {
			if faulty && w.Fault.Kill {
				hit = &call
			}
			if errno == unix.ENOENT {
				// It is gone, or a signal came: then it asks again.
				continue
			}
			return hit, fmt.Errorf("answer: %w", errno)
		}
		if faulty {
			hit = &call
		}
		if counted {
			counts[call.NR]++
			if w.Seen != nil {
				w.Seen(call)
			}
			// The calls of the target are its own.
			ended = call.NR == unix.SYS_EXECVE && !faulty
		}
		begun = begun || starts
	}
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

// readString reads a path of another process.
func readString(pid int, at uint64) string {
	buf := make([]byte, 256)
	// Not over the end of a page, after which there may be nothing.
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
