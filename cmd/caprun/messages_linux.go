package main

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// messageTime bounds how long caprun waits for a reader of its messages: a
// launch in total, a supervisor, which does other work meanwhile, for each one.
// A reader that is alive needs less.
const messageTime = 200 * time.Millisecond

// withoutWaiting returns a writer for the messages of a launch in place of the
// standard error. It does not write for longer than messageTime: whoever reads,
// or has stopped a terminal, could otherwise keep caprun from ending, and a
// supervisor from its work. What cannot be written by then is dropped.
func withoutWaiting(w io.Writer) io.Writer {
	if w != io.Writer(os.Stderr) {
		return w
	}
	return &messageWriter{fd: 2, own: -1}
}

// messageWriter writes to the standard error without waiting for a reader. It
// does not set O_NONBLOCK, which is a property of the open file description:
// whoever shares that would have it too.
type messageWriter struct {
	fd   int
	stat *unix.Stat_t // of the file; nil before the first message

	// deadline is when it stops to wait; the first wait sets it.
	deadline time.Time

	noFlag  bool          // pwritev2(2) does not take RWF_NOWAIT for this file
	own     int           // an open file description of its own, with O_NONBLOCK; -1 without
	noOwn   bool          // there can be none
	blocked chan struct{} // closed when a write of the last resort is over; nil without
}

// Write writes the text, or as much of it as can be written before the deadline.
func (m *messageWriter) Write(text []byte) (done int, err error) {
	const longest = 16 * time.Millisecond
	for pause := time.Millisecond; ; {
		n, err := m.try(text[done:])
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
		case m.left() <= 0:
			return done, unix.EAGAIN
		}
		// Not time.Sleep, for which the runtime may need one more thread.
		wait := unix.NsecToTimespec(int64(min(pause, m.left())))
		_ = unix.Nanosleep(&wait, nil)
		pause = min(2*pause, longest)
	}
}

// left returns how long the writer may still wait.
func (m *messageWriter) left() time.Duration {
	if m.deadline.IsZero() {
		m.deadline = time.Now().Add(messageTime)
	}
	return time.Until(m.deadline)
}

// try writes what can be written now, and returns EAGAIN where that is nothing.
func (m *messageWriter) try(text []byte) (int, error) {
	if m.stat == nil {
		// A file of which nothing is known is none of the kinds below.
		m.stat = &unix.Stat_t{}
		if err := unix.Fstat(m.fd, m.stat); err != nil {
			m.stat.Mode = 0
		}
	}
	switch m.stat.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		return unix.SendmsgN(m.fd, text, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	case unix.S_IFREG, unix.S_IFBLK:
		return unix.Write(m.fd, text) // nobody has to read it first
	}
	if !m.noFlag {
		// At offset -1, which stands for that of the description.
		switch n, err := unix.Pwritev2(m.fd, [][]byte{text}, -1, unix.RWF_NOWAIT); err {
		case nil, unix.EAGAIN, unix.EINTR, unix.EPIPE, unix.EIO:
			return n, err
		}
		// Terminals and named pipes of Linux 6.18, every pipe before 6.4.
		m.noFlag = true
	}
	if m.own < 0 && !m.noOwn {
		m.own = m.openOwn()
		m.noOwn = m.own < 0
	}
	if m.own >= 0 {
		return unix.Write(m.own, text)
	}
	return m.lastResort(text)
}

// openOwn opens the pipe or the terminal again, as a description that caprun
// alone has: -1 where that is not possible, as for a terminal of another user.
func (m *messageWriter) openOwn() int {
	const failed = -1
	switch m.stat.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
	case unix.S_IFCHR:
		// To open another device may have effects.
		if _, err := unix.IoctlGetTermios(m.fd, unix.TCGETS); err != nil {
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
	// The root directory may be another one by now.
	var fs unix.Statfs_t
	if unix.Fstatfs(dir, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return failed
	}
	fd, err := unix.Openat(dir, strconv.Itoa(m.fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed
	}
	var st unix.Stat_t
	if fd <= 2 || unix.Fstat(fd, &st) != nil || st.Dev != m.stat.Dev || st.Ino != m.stat.Ino || st.Rdev != m.stat.Rdev {
		unix.Close(fd)
		return failed
	}
	return fd
}

// lastResort writes on a thread of its own, which may wait and is left alone
// then: between the answer of poll(2) and the write another process can fill
// the file.
func (m *messageWriter) lastResort(text []byte) (int, error) {
	if m.blocked != nil {
		select {
		case <-m.blocked:
			m.blocked = nil
		default:
			return 0, unix.EAGAIN
		}
	}
	poll := []unix.PollFd{{Fd: int32(m.fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(poll, 0); err == nil && n == 0 {
		return 0, unix.EAGAIN
	}
	type result struct {
		n   int
		err error
	}
	results, over, copied := make(chan result, 1), make(chan struct{}), append([]byte{}, text...)
	go func() {
		defer close(over)
		blockWriteSignals()
		n, err := unix.Write(m.fd, copied)
		results <- result{n, err}
	}()
	m.blocked = over
	select {
	case r := <-results:
		return r.n, r.err
	case <-time.After(m.left()):
		return 0, unix.EAGAIN
	}
}

// blockWriteSignals wires the calling goroutine to its thread, and keeps the
// signals from it that a write sends to the writer: SIGPIPE, and SIGTTOU of a
// terminal whose settings stop who writes in the background. A supervisor would
// forward them.
func blockWriteSignals() {
	runtime.LockOSThread()
	var block unix.Sigset_t
	addSignal(&block, unix.SIGPIPE)
	addSignal(&block, unix.SIGTTOU)
	_ = unix.PthreadSigmask(unix.SIG_BLOCK, &block, nil)
}

// messageQueue hands the messages of a supervisor to a thread that writes them,
// so that the supervisor never waits itself.
type messageQueue struct {
	messages chan message
	written  chan struct{} // closed when all of them are
}

type message struct {
	text     []byte
	deadline time.Time
}

// maxMessages bounds the messages that wait to be written.
const maxMessages = 16

// startQueue starts the thread for messages of a writer.
func startQueue(w *messageWriter) *messageQueue {
	q := &messageQueue{make(chan message, maxMessages), make(chan struct{})}
	go func() {
		defer close(q.written)
		blockWriteSignals()
		for m := range q.messages {
			w.deadline = m.deadline
			_, _ = w.Write(m.text)
		}
	}()
	return q
}

// Write puts a message into the queue, or drops it where the queue is full.
func (q *messageQueue) Write(text []byte) (int, error) {
	select {
	case q.messages <- message{append([]byte{}, text...), time.Now().Add(messageTime)}:
		return len(text), nil
	default:
		return 0, unix.EAGAIN
	}
}

// finishTime bounds the wait for the thread of the queue. It gives up on a reader
// sooner; a busy machine may let it run late.
const finishTime = 2 * time.Second

// finish ends the queue when what is in it has been written, or its time is over.
func (q *messageQueue) finish() {
	close(q.messages)
	select {
	case <-q.written:
	case <-time.After(finishTime):
	}
}
