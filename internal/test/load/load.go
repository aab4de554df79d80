//go:build linux

// Package load has what the tests under load share: how many launches they
// make, and what a process holds, to be compared before and after.
package load

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Variable names the environment variable with the number of launches.
const Variable = "CAPRUN_TEST_LOAD"

// AtOnce is how many launches the tests have under way at the same time, and
// Every which of them are kept alive to be looked at from outside.
const (
	AtOnce = 64
	Every  = 50
)

// Count returns how many launches to make each way: 200, or what Variable says.
func Count() (int, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return 200, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, fmt.Errorf("%s=%q: a number from 1 to 1000000", Variable, text)
	}
	return n, nil
}

// Profile is the profile of all launches, and Declared what the report of a
// target must have for it. The second is written by hand.
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

// Report returns the lines of a report that are the same in every launch, and
// an error when one of Declared is missing.
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

// AwaitSleep waits until a process has executed the program that calls itself
// name, and that sleeps. The name alone would be too early: execve(2) sets it,
// and closes descriptors, a moment before it changes the credentials.
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
	return fmt.Errorf("process %d does not become a %s that sleeps", pid, name)
}

// Held is what a process holds.
type Held struct {
	Threads, Descriptors int
	Memory               int // resident, in KiB
}

// Hold returns what this process holds, after it gave back what it could.
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

// maxMemory is by how many KiB a process may grow: less than 1 KiB for each of
// 10000 launches.
const maxMemory = 8 << 10

// Leaked says what is left over of many launches: descriptors, memory, more
// threads than the runtime may have started for waiting, and children.
func (before Held) Leaked(threads int) (after Held, err error) {
	if after, err = Hold(); err != nil {
		return after, err
	}
	var faults []error
	// Fewer are those that nobody used any more, and a finalizer closed.
	if after.Descriptors > before.Descriptors {
		faults = append(faults, fmt.Errorf("%d descriptors became %d", before.Descriptors, after.Descriptors))
	}
	if after.Threads > before.Threads+threads {
		faults = append(faults, fmt.Errorf("%d threads became %d", before.Threads, after.Threads))
	}
	if after.Memory > before.Memory+maxMemory {
		faults = append(faults, fmt.Errorf("%d KiB of memory became %d", before.Memory, after.Memory))
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		faults = append(faults, fmt.Errorf("a child is left: wait4 returns %d, %v", pid, err))
	}
	return after, errors.Join(faults...)
}

// Run calls launch for each of the numbers below count, atOnce at a time, and
// returns the first error. After one no more are begun.
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
