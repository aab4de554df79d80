// Package terminal provides terminals for tests.
package terminal

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// Terminal is a terminal that a test types on.
type Terminal struct {
	*os.File // the side of keyboard and screen
	mu       sync.Mutex
	screen   bytes.Buffer
}

// New returns a terminal, and the descriptor for programs.
func New(t *testing.T) (*Terminal, *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		requires.Skip(t, "a terminal: "+err.Error())
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		requires.Skip(t, "a terminal: "+err.Error())
	}
	terminal := &Terminal{File: master}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			terminal.mu.Lock()
			terminal.screen.Write(buf[:n])
			terminal.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return terminal, slave
}

func (terminal *Terminal) Shows(text string) func() bool {
	return func() bool {
		terminal.mu.Lock()
		defer terminal.mu.Unlock()
		return strings.Contains(terminal.screen.String(), text)
	}
}

func (terminal *Terminal) Group(t *testing.T) int {
	t.Helper()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	if err != nil {
		t.Fatal(err)
	}
	return group
}

func (terminal *Terminal) Types(t *testing.T, text string) {
	t.Helper()
	if _, err := terminal.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// Text returns the text on the screen.
func (terminal *Terminal) Text() string {
	terminal.mu.Lock()
	defer terminal.mu.Unlock()
	return terminal.screen.String()
}
