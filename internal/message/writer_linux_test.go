package message

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/command"
	"caprun/internal/test/unread"

	"golang.org/x/sys/unix"
)

// blockingWriter returns a Writer that can only use writes that block.
func blockingWriter(f *os.File) *Writer {
	w := newWriter(int(f.Fd()))
	w.noFlag, w.noReopen = true, true
	return w
}

// await waits until a file contains a text.
func await(t *testing.T, f unread.File, text string) {
	t.Helper()
	for end := time.Now().Add(command.Hangs); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(f.Text(), text) {
			return
		}
	}
	t.Fatalf("%s: %q does not arrive", f.Name, text)
}

// TestWriteElsewhere: a message arrives, and Write does not block, also for files without
// nonblocking writes.
func TestWriteElsewhere(t *testing.T) {
	for _, m := range unread.Files(t) {
		if m.Name == "stream" || m.Name == "datagrams" || m.Name == "packets" {
			continue
		}
		w := blockingWriter(m.File)
		if n, err := io.WriteString(w, "first\n"); n != 6 || err != nil {
			t.Errorf("%s: %d, %v", m.Name, n, err)
		}
		await(t, m, "first")
		m.Block(t)
		for range 3 {
			if n, err := io.WriteString(w, "second\n"); n != 0 || err != unix.EAGAIN {
				t.Errorf("%s blocked: %d, %v", m.Name, n, err)
			}
		}
	}

	// For a long message, poll reports a pipe as writable, and the write blocks.
	r, f, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := blockingWriter(f)
	if n, err := w.Write(make([]byte, 1<<20)); n != 0 || err != unix.EAGAIN {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := io.WriteString(w, "while the other waits\n"); n != 0 || err != unix.EAGAIN {
		t.Errorf("%d, %v", n, err)
	}
	r.Close()
	<-w.blocked
}
