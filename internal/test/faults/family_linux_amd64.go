package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// family is the watched program and its children.
type family struct {
	program  member
	children []*member
	threads  map[int]*member // by the number of a thread; nil for a thread of another process
}

type member struct {
	pid       int
	restarted bool // it has executed the program again
	ended     bool // it has executed another program
}

// begin starts watching the process of a thread.
func (f *family) begin(thread int) {
	pid, _ := processOf(thread)
	f.program.pid, f.threads = pid, map[int]*member{}
}

// member returns the member that a thread belongs to; nil for none.
func (f *family) member(thread int) *member {
	if f.program.pid == 0 {
		return nil
	}
	if m, known := f.threads[thread]; known {
		return m
	}
	pid, parent := processOf(thread)
	m := (*member)(nil)
	switch {
	case pid == f.program.pid:
		m = &f.program
	case parent == f.program.pid:
		for _, c := range f.children {
			if c.pid == pid {
				m = c
			}
		}
		if m == nil {
			m = &member{pid: pid}
			f.children = append(f.children, m)
		}
	}
	f.threads[thread] = m
	return m
}

// kill kills the remaining processes of the family.
func (f *family) kill() {
	for _, c := range f.children {
		if _, parent := processOf(c.pid); parent == f.program.pid || parent == os.Getpid() {
			_ = unix.Kill(c.pid, unix.SIGKILL)
		}
	}
	if f.program.pid != 0 {
		_ = unix.Kill(f.program.pid, unix.SIGKILL)
	}
}

// reap waits for the children that the program did not wait for, which are now the
// caller's.
func (f *family) reap() (err error) {
	for _, c := range f.children {
		if _, parent := processOf(c.pid); parent != os.Getpid() {
			continue
		}
		for {
			pid, wait := unix.Wait4(c.pid, nil, 0, nil)
			if pid == c.pid {
				err = ErrZombie
			}
			if wait != unix.EINTR {
				break
			}
		}
	}
	return err
}

// processOf returns the process of a thread, and its parent: 0 when it is gone.
func processOf(thread int) (pid, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSpace(value))
		switch name {
		case "Tgid":
			pid = n
		case "PPid":
			parent = n
		}
	}
	return pid, parent
}
