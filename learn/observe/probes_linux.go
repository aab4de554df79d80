package observe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	probeEvents  = "kprobe_events"
	probeProfile = "kprobe_profile"
)

// probes are the two probes of an observer. The zero value has none.
type probes struct{ check, result string }

var probeCount atomic.Int32 // of this process

// makeProbes makes the probes of an observer.
func (t tracefs) makeProbes() (probes, error) {
	_, start, err := processState(os.Getpid())
	if err != nil {
		return probes{}, err
	}
	var p probes
	p.check, p.result = probeOwner{os.Getpid(), start}.probeNames(int(probeCount.Add(1)))
	for _, line := range probeCommands(p.check, p.result) {
		if err := t.command(probeEvents, line); err != nil {
			return probes{}, errors.Join(explainProbes(err), t.removeProbes(p.check, p.result))
		}
	}
	return p, nil
}

// explainProbes says what to do if probes cannot be made.
func explainProbes(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: the kernel has neither the tracepoint capability:cap_capable nor probes; use Linux 6.14 or later, or a kernel with CONFIG_KPROBE_EVENTS", err)
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: Linux before 6.14 needs probes; use uid 0, with tracefs writable and without kernel lockdown", err)
	}
	return fmt.Errorf("probe of cap_capable: %w", err)
}

// removeProbes removes probes. The kernel refuses it with EBUSY while an event uses one:
// then it is tried again for a second.
func (t tracefs) removeProbes(names ...string) error {
	var failed error
	for _, name := range names {
		for try := 0; ; try++ {
			err := t.command(probeEvents, "-:"+probeGroup+"/"+name)
			if err == nil || errors.Is(err, unix.ENOENT) {
				break
			}
			if !errors.Is(err, unix.EBUSY) || try == 100 {
				failed = errors.Join(failed, fmt.Errorf("remove the probe %s: %w", name, err))
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return failed
}

// removeStale removes the probes whose owner has ended.
func (t tracefs) removeStale() error {
	text, err := t.read(probeEvents)
	if errors.Is(err, unix.ENOENT) {
		return nil // no probes in this kernel
	}
	if err != nil {
		return err
	}
	if err := checkProc(); err != nil {
		return err
	}
	var failed error
	for owner, names := range parseProbes(text) {
		state, start, err := processState(owner.pid)
		if err != nil {
			continue // perhaps it runs
		}
		if state == 0 || state == 'Z' || state == 'X' || start != owner.start {
			failed = errors.Join(failed, t.removeProbes(names...))
		}
	}
	return failed
}

// RemoveProbes removes the tracefs probes of observers whose process has ended without
// Close; a process that has ended and was not waited for counts as ended. It does not
// touch other probes. There are none on Linux 6.14 and later. A process that cleans up
// after a killed observer calls it, in the same PID namespace.
func RemoveProbes() error {
	t, err := openTracefs()
	if err != nil {
		return err
	}
	defer t.close()
	return t.removeStale()
}

// checkProc returns an error if /proc is not that of this PID namespace.
func checkProc() error {
	self, err := os.Readlink("/proc/self")
	if err != nil || self != strconv.Itoa(os.Getpid()) {
		return errors.New("/proc: missing, or mounted for another PID namespace; run \"mount -t proc proc /proc\" in this one")
	}
	return nil
}

// processState returns the state and the start time of a process from /proc/PID/stat:
// proc_pid_stat(5). state is 0 for a process that does not exist.
func processState(pid int) (state byte, start uint64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	// The name, in parentheses, may have any character. The state is field 3.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const first, startTime = 3, 22
	if len(fields) <= startTime-first {
		return 0, 0, fmt.Errorf("/proc/%d/stat: %d fields, want more", pid, len(fields))
	}
	start, err = strconv.ParseUint(string(fields[startTime-first]), 10, 64)
	return fields[0][0], start, err
}
