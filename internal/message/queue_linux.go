package message

import (
	"time"

	"golang.org/x/sys/unix"
)

// Queue passes messages to a thread that writes them. A supervisor so never waits for a
// reader.
type Queue struct {
	messages chan queued
	written  chan struct{} // closed when all of them have been written
}

type queued struct {
	text     []byte
	deadline time.Time
}

// QueueLength bounds the messages in a queue.
const QueueLength = 16

// NewQueue starts the thread that writes to w. Only that thread may use w afterwards. The
// caller must call Close.
func NewQueue(w *Writer) *Queue {
	q := &Queue{make(chan queued, QueueLength), make(chan struct{})}
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

// Write adds a message to the queue. If the queue is full, it drops the message and
// returns EAGAIN.
func (q *Queue) Write(text []byte) (int, error) {
	select {
	case q.messages <- queued{append([]byte{}, text...), time.Now().Add(maxWait)}:
		return len(text), nil
	default:
		return 0, unix.EAGAIN
	}
}

// closeTime bounds the wait for the thread of a queue. The thread waits less for a
// reader, but may run late on a busy machine.
const closeTime = 2 * time.Second

// Close waits until the thread has written all messages, at most closeTime. Nothing may
// be written to the queue afterwards.
func (q *Queue) Close() {
	close(q.messages)
	select {
	case <-q.written:
	case <-time.After(closeTime):
	}
}
