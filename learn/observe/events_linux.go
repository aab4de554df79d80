package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tracepoints are what the events of an observer are about.
type tracepoints struct {
	interpreter
	probes probes
	filter string // of sys_exit

	// lostCount says that events count what the kernel drops: PERF_FORMAT_LOST, since 6.0.
	lostCount bool
}

// attributes returns the attributes of one event.
func (t *tracepoints) attributes(id uint16) unix.PerfEventAttr {
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_TRACEPOINT, Config: uint64(id),
		Sample: 1, Wakeup: 1, // each event, at once
		Sample_type: sampleType, Sample_regs_user: t.registers.mask,
		Clockid: unix.CLOCK_MONOTONIC,
		Bits:    unix.PerfBitDisabled | unix.PerfBitSampleIDAll | unix.PerfBitUseClockID | unix.PerfBitExcludeCallchainUser,
	}
	if t.lostCount {
		attr.Read_format = unix.PERF_FORMAT_LOST
	}
	if id != t.check.id {
		attr.Bits |= unix.PerfBitExcludeCallchainKernel
	}
	return attr
}

// open opens an event. The first one finds out whether events count what is dropped.
func (t *tracepoints) open(attr unix.PerfEventAttr, pid, cpu int) (int, error) {
	fd, err := openEvent(&attr, pid, cpu)
	if err == unix.EINVAL && attr.Read_format != 0 {
		attr.Read_format, t.lostCount = 0, false
		fd, err = openEvent(&attr, pid, cpu)
	}
	return fd, err
}

// A cpuEvents has the events of one CPU. All write to one ring.
type cpuEvents struct {
	fds  []int // the first one has the ring
	ring ring
}

// openCPUs opens the events of a process and everything that it starts. They begin with
// the process's next execve(2). size is that of each ring; it is reduced while the kernel
// refuses to lock as much memory.
func (t *tracepoints) openCPUs(pid int, cpus []int, size int) (all []cpuEvents, err error) {
	for {
		for _, cpu := range cpus {
			var one cpuEvents
			if one, err = t.openCPU(pid, cpu, size); err != nil {
				err = fmt.Errorf("process %d, CPU %d: %w", pid, cpu, err)
				break
			}
			all = append(all, one)
		}
		if err == nil {
			return all, nil
		}
		for _, one := range all {
			err = errors.Join(err, one.close())
		}
		all = nil
		if !errors.Is(err, errRingMemory) || size <= unix.Getpagesize() {
			return nil, err
		}
		size /= 2
	}
}

// openCPU opens the events on one CPU.
func (t *tracepoints) openCPU(pid, cpu, size int) (e cpuEvents, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	for _, id := range []uint16{t.check.id, t.result.id, t.exit.id, t.exec.id} {
		if id == 0 {
			continue
		}
		attr := t.attributes(id)
		attr.Bits |= unix.PerfBitInherit | unix.PerfBitEnableOnExec
		first := len(e.fds) == 0
		if first {
			attr.Bits |= unix.PerfBitComm | unix.PerfBitCommExec | unix.PerfBitTask
		}
		fd, err := t.open(attr, pid, cpu)
		if err != nil {
			return e, explainRefusal(fmt.Errorf("perf_event_open: %w", err))
		}
		e.fds = append(e.fds, fd)
		if first {
			if e.ring, err = mapRing(fd, size); err != nil {
				return e, ringError(size, err)
			}
		} else if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_OUTPUT, e.fds[0]); err != nil {
			return e, fmt.Errorf("perf events: share a ring: %w", err)
		}
		if id == t.exit.id {
			if err := unix.IoctlSetString(fd, unix.PERF_EVENT_IOC_SET_FILTER, t.filter); err != nil {
				return e, fmt.Errorf("perf events: filter %q: %w", t.filter, err)
			}
		}
	}
	return e, nil
}

var errRingMemory = errors.New("raise the limit of locked memory, or grant cap_ipc_lock")

// ringError is the error of a ring that cannot be mapped. It is errRingMemory if the
// memory of the rings exceeds perf_event_mlock_kb and RLIMIT_MEMLOCK, or is missing.
func ringError(size int, err error) error {
	if err == unix.EPERM || err == unix.ENOMEM {
		return fmt.Errorf("ring of %d bytes: %w; %w", size, err, errRingMemory)
	}
	return fmt.Errorf("ring of %d bytes: %w", size, err)
}

// disable stops the events of the process and of everything that it started.
func (e cpuEvents) disable() (err error) {
	for _, fd := range e.fds {
		err = errors.Join(err, unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_DISABLE, 0))
	}
	return err
}

// lost returns the number of records that the kernel dropped.
func (e cpuEvents) lost() (n uint64) {
	for _, fd := range e.fds {
		var b [16]byte // the count of the events, and of the lost ones
		if size, err := unix.Read(fd, b[:]); err == nil && size == len(b) {
			n += binary.NativeEndian.Uint64(b[8:])
		}
	}
	return n
}

func (e cpuEvents) close() (err error) {
	if e.ring.memory != nil {
		err = e.ring.unmap()
	}
	for _, fd := range slices.Backward(e.fds) {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}

const onlineCPUs = "/sys/devices/system/cpu/online"

// readCPUs returns the numbers of the CPUs.
func readCPUs() ([]int, error) {
	text, err := os.ReadFile(onlineCPUs)
	if err != nil {
		return nil, fmt.Errorf("CPUs: %w; mount sysfs on /sys", err)
	}
	return parseCPUs(strings.TrimSpace(string(text)))
}

// parseCPUs reads a list such as "0-3,8".
func parseCPUs(text string) (cpus []int, err error) {
	const most = 8192 // CONFIG_NR_CPUS of the largest kernels
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, errFrom := strconv.ParseUint(low, 10, 16)
		to, errTo := strconv.ParseUint(high, 10, 16)
		if errFrom != nil || errTo != nil || from > to || to >= most {
			return nil, fmt.Errorf("%s: invalid list %q", onlineCPUs, text)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, int(cpu))
		}
	}
	return cpus, nil
}

// ringSize returns the size of each ring: a power of two of pages, at most what is asked
// for.
func ringSize(asked, cpus int) int {
	const largest, all, most = 1 << 20, 64 << 20, 1 << 30
	if asked <= 0 {
		asked = min(largest, all/cpus)
	}
	size := unix.Getpagesize()
	for size*2 <= min(asked, most) {
		size *= 2
	}
	return size
}
