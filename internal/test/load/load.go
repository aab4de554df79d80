//go:build linux

// Package load has what the tests under load share: the number of launches, and the
// resources that a process uses, compared before and after.
package load

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Variable is the environment variable with the number of launches.
const Variable = "CAPRUN_TEST_LOAD"

// AtOnce is the number of concurrent launches. Every Every-th of them keeps running
// until the test has verified it from outside.
const (
	AtOnce = 64
	Every  = 50
)

// Count returns the number of launches: 200, or the value of Variable.
func Count() (int, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return 200, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, fmt.Errorf("invalid %s=%q: want 1 to 1000000", Variable, text)
	}
	return n, nil
}

// Profile is the profile of all launches. Declared are the lines that the report of
// its target must have, written independently.
const Profile = `version: 1
uid: 33
gid: 33
caps: cap_net_bind_service=eip
secbits: [noroot, noroot_locked]
no_new_privs: true
`

// Declared are lines of the report of internal/test/creds.
var Declared = [...]string{
	"uids: 33 33 33 33", "gids: 33 33 33 33", "groups: 33",
	"inheritable: 400", "permitted: 400", "effective: 400", "bounding: 400", "ambient: 400",
	"securebits: 3", "no_new_privs: 1", "at_secure: 0", "descriptors: 0 1 2",
}

// Report returns the lines of a report that are the same in every launch, and an
// error if one of Declared is missing.
func Report(text string) ([]string, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "pid:") })
	for _, want := range Declared {
		if !slices.Contains(lines, want) {
			return lines, fmt.Errorf("the target does not report %q, but\n%s", want, text)
		}
	}
	return lines, nil
}

// Same compares the reports of all targets of a test.
type Same struct {
	mu sync.Mutex

	// First has the lines of the first report.
	First []string
}

// Add returns an error if a report differs from the first one, or lacks a line of
// Declared.
func (s *Same) Add(text string) error {
	lines, err := Report(text)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.First == nil {
		s.First = lines
	}
	if !slices.Equal(lines, s.First) {
		return fmt.Errorf("the target reports\n%s\nand the first target reported\n%s", text, strings.Join(s.First, "\n"))
	}
	return nil
}

// AwaitSleep waits until a process has executed the program called name and sleeps.
// The name alone would be too early: execve(2) sets it, and closes descriptors,
// before it changes the credentials.
func AwaitSleep(pid int, name string) error {
	for range 30000 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return err
		}
		if strings.Contains(string(stat), " ("+name+") S ") {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("process %d did not become a sleeping %s", pid, name)
}

// Held has the resources that a process uses.
type Held struct {
	Threads, Descriptors int
	Memory               int // resident, in KiB
}

// Hold returns the resources that this process uses, after freeing what it can.
func Hold() (h Held, err error) {
	debug.FreeOSMemory()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return h, err
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return h, err
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return h, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return h, fmt.Errorf("/proc/self/statm: %q", statm)
	}
	pages, err := strconv.Atoi(fields[1])
	return Held{len(tasks), len(files), pages * os.Getpagesize() / 1024}, err
}

// maxMemory is the growth that a process may have, in KiB: less than 1 KiB for each
// of 10000 launches.
const maxMemory = 8 << 10

// Leaked reports what remains of many launches: descriptors, memory, children, and
// more threads than the runtime may have started for waiting.
func (before Held) Leaked(threads int) (after Held, err error) {
	if after, err = Hold(); err != nil {
		return after, err
	}
	var faults []error
	// A smaller number is fine: a finalizer closed unused ones.
	if after.Descriptors > before.Descriptors {
		faults = append(faults, fmt.Errorf("descriptors: %d before, %d after", before.Descriptors, after.Descriptors))
	}
	if after.Threads > before.Threads+threads {
		faults = append(faults, fmt.Errorf("threads: %d before, %d after", before.Threads, after.Threads))
	}
	if after.Memory > before.Memory+maxMemory {
		faults = append(faults, fmt.Errorf("KiB of memory: %d before, %d after", before.Memory, after.Memory))
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		faults = append(faults, fmt.Errorf("a child remains: wait4 returns %d, %v", pid, err))
	}
	return after, errors.Join(faults...)
}

// Run calls launch for each number below count, atOnce at a time, and returns the
// first error, after which it starts no more.
func Run(count, atOnce int, launch func(n int) error) error {
	numbers, results := make(chan int), make(chan error, atOnce)
	for range atOnce {
		go func() {
			for n := range numbers {
				if err := launch(n); err != nil {
					results <- fmt.Errorf("launch %d: %w", n, err)
					return
				}
			}
			results <- nil
		}()
	}
	var first error
	ended := 0
	take := func(err error) {
		ended++
		if first == nil {
			first = err
		}
	}
	for n := 0; n < count && first == nil; {
		select {
		case numbers <- n:
			n++
		case err := <-results:
			take(err)
		}
	}
	close(numbers)
	for ended < atOnce {
		take(<-results)
	}
	return first
}
