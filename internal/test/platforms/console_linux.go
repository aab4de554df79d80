//go:build linux

package platforms

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A console is a terminal that collects what is written to it.
type console struct {
	master *os.File
	path   string // of the other side

	mu   sync.Mutex
	text bytes.Buffer
	done chan struct{}
}

// newConsole returns a new terminal.
func newConsole() (*console, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	c := &console{master: os.NewFile(uintptr(fd), "ptmx"), done: make(chan struct{})}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		c.master.Close()
		return nil, err
	}
	c.path = fmt.Sprint("/dev/pts/", number)
	// While no program has the terminal open, reading it fails: this keeps it open.
	slave, err := os.OpenFile(c.path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		c.master.Close()
		return nil, err
	}
	go func() {
		defer close(c.done)
		defer slave.Close()
		c.read()
	}()
	return c, nil
}

// read collects at most maxOutput bytes, until close.
func (c *console) read() {
	buf := make([]byte, 4096)
	for {
		n, err := c.master.Read(buf)
		c.mu.Lock()
		if c.text.Len() < maxOutput {
			c.text.Write(buf[:n])
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// close ends the terminal and returns what was written to it.
func (c *console) close() string {
	c.master.Close()
	<-c.done
	return strings.ReplaceAll(c.text.String(), "\r\n", "\n")
}
