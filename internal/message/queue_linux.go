package message

import (
	"time"

	"golang.org/x/sys/unix"
)

// Queue passes messages to a thread that writes them, so that a supervisor never
// waits itself.
type Queue struct {
	messages chan queued
	written  chan struct{} // closed when all of them have been written
}

type queued struct {
	text     []byte
	deadline time.Time
}

// QueueLength bounds the messages that wait to be written.
const QueueLength = 16

// NewQueue starts the thread that writes to w, which it uses alone from then on.
// The caller must call Close.
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

// Write puts a message into the queue. It drops the message and returns EAGAIN
// when the queue is full.
func (q *Queue) Write(text []byte) (int, error) {
	select {
	case q.messages <- queued{append([]byte{}, text...), time.Now().Add(maxWait)}:
		return len(text), nil
	default:
		return 0, unix.EAGAIN
	}
}

// closeTime bounds the wait for the thread of a queue. It gives up on a reader
// sooner; a busy machine may let it run late.
const closeTime = 2 * time.Second

// Close ends the queue when the thread has written all messages, or after
// closeTime. Nothing may be written to the queue afterwards.
func (q *Queue) Close() {
	close(q.messages)
	select {
	case <-q.written:
	case <-time.After(closeTime):
	}
}
