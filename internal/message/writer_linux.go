package message

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"caprun/internal/sigmask"

	"golang.org/x/sys/unix"
)

// maxWait bounds how long caprun waits for a reader: a launch for all messages together,
// a supervisor, which continues meanwhile, for each message. A working reader needs
// less.
const maxWait = 200 * time.Millisecond

// Bounded returns a *Writer if w is os.Stderr, and w otherwise.
func Bounded(w io.Writer) io.Writer {
	if w != io.Writer(os.Stderr) {
		return w
	}
	return newWriter(2)
}

// Writer writes to the standard error, and waits for at most maxWait in total. It does
// not set O_NONBLOCK, which would change the open file description of other processes.
type Writer struct {
	fd   int
	stat *unix.Stat_t // of the file; nil before the first message

	// deadline is the end of the waiting; the first wait sets it.
	deadline time.Time

	noFlag   bool          // pwritev2(2) does not accept RWF_NOWAIT for this file
	reopened int           // another open file description, with O_NONBLOCK; -1 without
	noReopen bool          // the file cannot be opened again
	blocked  chan struct{} // closed when a write on another thread has ended; nil without
}

func newWriter(fd int) *Writer { return &Writer{fd: fd, reopened: -1} }

// Write writes as much of the text as it can before the deadline.
func (w *Writer) Write(text []byte) (done int, err error) {
	const longest = 16 * time.Millisecond
	for pause := time.Millisecond; ; {
		n, err := w.writeNow(text[done:])
		if n > 0 {
			done += n
		}
		switch {
		case done == len(text):
			return done, nil
		case n > 0, err == unix.EINTR:
			continue
		case err != nil && err != unix.EAGAIN:
			return done, err
		case w.left() <= 0:
			return done, unix.EAGAIN
		}
		// Not time.Sleep, for which the runtime may need another thread.
		wait := unix.NsecToTimespec(int64(min(pause, w.left())))
		_ = unix.Nanosleep(&wait, nil)
		pause = min(2*pause, longest)
	}
}

// left returns how long the writer may still wait.
func (w *Writer) left() time.Duration {
	if w.deadline.IsZero() {
		w.deadline = time.Now().Add(maxWait)
	}
	return time.Until(w.deadline)
}

// writeNow writes what can be written without waiting. It returns EAGAIN if that is
// nothing.
func (w *Writer) writeNow(text []byte) (int, error) {
	if w.stat == nil {
		// If fstat fails, none of the cases below applies.
		w.stat = &unix.Stat_t{}
		if err := unix.Fstat(w.fd, w.stat); err != nil {
			w.stat.Mode = 0
		}
	}
	switch w.stat.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		return unix.SendmsgN(w.fd, text, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	case unix.S_IFREG, unix.S_IFBLK:
		return unix.Write(w.fd, text) // does not depend on a reader
	}
	if !w.noFlag {
		// Offset -1 is the offset of the open file description.
		switch n, err := unix.Pwritev2(w.fd, [][]byte{text}, -1, unix.RWF_NOWAIT); err {
		case nil, unix.EAGAIN, unix.EINTR, unix.EPIPE, unix.EIO:
			return n, err
		}
		// Not accepted: terminals and named pipes of Linux 6.18, all pipes before 6.4.
		w.noFlag = true
	}
	if w.reopened < 0 && !w.noReopen {
		w.reopened = w.reopen()
		w.noReopen = w.reopened < 0
	}
	if w.reopened >= 0 {
		return unix.Write(w.reopened, text)
	}
	return w.writeElsewhere(text)
}

// reopen opens the pipe or the terminal again, with an open file description that no
// other process has. It returns -1 if it cannot, as for a terminal of another user.
func (w *Writer) reopen() int {
	const failed = -1
	switch w.stat.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
	case unix.S_IFCHR:
		// To open another device may have effects, and to open /dev/ptmx creates a
		// terminal.
		if _, err := unix.IoctlGetTermios(w.fd, unix.TCGETS); err != nil || uint64(w.stat.Rdev) == unix.Mkdev(5, 2) {
			return failed
		}
	default:
		return failed
	}
	dir, err := unix.Open("/proc/self/fd", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed
	}
	defer unix.Close(dir)
	// After a chroot, /proc can be another directory.
	var fs unix.Statfs_t
	if unix.Fstatfs(dir, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return failed
	}
	fd, err := unix.Openat(dir, strconv.Itoa(w.fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed
	}
	var st unix.Stat_t
	if fd <= 2 || unix.Fstat(fd, &st) != nil || st.Dev != w.stat.Dev || st.Ino != w.stat.Ino || st.Rdev != w.stat.Rdev {
		unix.Close(fd)
		return failed
	}
	return fd
}

// writeElsewhere writes on another thread, and does not wait for it after the deadline:
// between poll(2) and the write another process can fill the pipe, and the write blocks.
func (w *Writer) writeElsewhere(text []byte) (int, error) {
	if w.blocked != nil {
		select {
		case <-w.blocked:
			w.blocked = nil
		default:
			return 0, unix.EAGAIN
		}
	}
	poll := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(poll, 0); err == nil && n == 0 {
		return 0, unix.EAGAIN
	}
	type result struct {
		n   int
		err error
	}
	results, done, copied := make(chan result, 1), make(chan struct{}), append([]byte{}, text...)
	go func() {
		defer close(done)
		blockWriteSignals()
		n, err := unix.Write(w.fd, copied)
		results <- result{n, err}
	}()
	w.blocked = done
	select {
	case r := <-results:
		return r.n, r.err
	case <-time.After(w.left()):
		return 0, unix.EAGAIN
	}
}

// blockWriteSignals locks the calling goroutine to its thread, and blocks the signals
// that a write can send to that thread: SIGPIPE, SIGXFSZ at the file size limit, and
// SIGTTOU of a terminal that stops writers in the background. A supervisor would forward
// them to the target.
func blockWriteSignals() {
	runtime.LockOSThread()
	_, _ = sigmask.Block(unix.SIGPIPE, unix.SIGTTOU, unix.SIGXFSZ)
}
