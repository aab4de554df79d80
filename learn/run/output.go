package run

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	maxOutput = 8 << 10 // bytes of output that are kept: more than the last lines have
	maxLines  = 5       // of output in a result
	maxLine   = 300     // bytes of such a line
)

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p[max(0, len(p)-maxOutput):]...)
	t.data = append(t.data[:0], t.data[max(0, len(t.data)-maxOutput):]...)
	return len(p), nil
}

// lines returns the last lines that are not empty, shortened.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range bytes.Lines(t.data) {
		if s := strings.TrimSpace(string(line)); s != "" {
			lines = append(lines, s[:min(len(s), maxLine)])
		}
	}
	return lines[max(0, len(lines)-maxLines):]
}

// readAll copies r to the tail until its end, and returns a channel that is then closed.
func (t *tail) readAll(r io.Reader) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(t, r) // nothing can be done about a read error
	}()
	return done
}
