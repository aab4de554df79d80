package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An Observer records the events of a process tree.
type Observer struct {
	points *tracepoints
	trace  tracefs
	cpus   []cpuEvents
	stop   int // an eventfd that ends the reader

	done      chan struct{} // closed at the end of the reader, which owns the rest until then
	order     orderer
	collector *collector
	lost      uint64 // by the records of the rings
	err       error

	mu     sync.Mutex
	closed bool
}

// Open prepares to record a process and everything that it starts, from its next
// execve(2) on, which is the first recorded event. The process must have one thread and
// must not execute before Open returns: it waits, for example stopped by ptrace(2), or
// reading a pipe. It may create threads afterwards, and any of them may execute.
//
// The error says what is missing on this machine, as that of Available.
func Open(pid int, o Options) (*Observer, error) {
	obs, err := open(pid, o)
	if err != nil {
		return nil, fmt.Errorf("record capability checks: %w", err)
	}
	return obs, nil
}

func open(pid int, o Options) (_ *Observer, err error) {
	points, trace, err := findTracepoints(o.probes)
	if err != nil {
		return nil, err
	}
	obs := &Observer{points: points, trace: trace, stop: -1, done: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, obs.release())
		}
	}()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	if len(threads) != 1 && !o.FirstThread {
		return nil, fmt.Errorf("process %d: %d threads, want 1; call Open before it creates threads, or with FirstThread", pid, len(threads))
	}
	cpus, err := readCPUs()
	if err != nil {
		return nil, err
	}
	if err := points.makeProbes(trace); err != nil {
		return nil, err
	}
	if points.namespace, err = points.ownNamespace(); err != nil {
		return nil, err
	}
	if points.symbols, err = loadSymbols(); err != nil {
		return nil, err
	}
	if obs.cpus, err = points.openCPUs(pid, cpus, ringSize(o.RingSize, len(cpus))); err != nil {
		return nil, err
	}
	if obs.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	limit := o.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	obs.collector = newCollector(&points.interpreter, limit)
	go obs.read()
	return obs, nil
}

// loadSymbols reads the symbols of the kernel. It returns none if they may not be read.
func loadSymbols() (symbols, error) {
	f, err := os.Open("/proc/kallsyms")
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return symbols{}, nil
	}
	if err != nil {
		return symbols{}, err
	}
	defer f.Close()
	return readSymbols(f)
}

// read reads the rings until Close ends it.
func (o *Observer) read() {
	defer close(o.done)
	// The sooner an event is read, the more often its process still runs. The thread ends
	// with this function. Without cap_sys_nice the priority stays as it is.
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -20)
	polls := []unix.PollFd{{Fd: int32(o.stop), Events: unix.POLLIN}}
	for _, cpu := range o.cpus {
		polls = append(polls, unix.PollFd{Fd: int32(cpu.fds[0]), Events: unix.POLLIN})
	}
	for polls[0].Revents == 0 {
		if _, err := unix.Poll(polls, -1); err != nil && err != unix.EINTR {
			o.err = errors.Join(o.err, fmt.Errorf("poll: %w", err))
			break
		}
		o.round()
		for n := range polls[1:] {
			// Every process of the tree has ended, so nothing follows; the state remains.
			if p := &polls[n+1]; p.Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
				p.Fd = -1
			}
		}
	}
	o.round() // what was written before the end of the events
	o.order.flush(o.collector.add)
}

// round reads once what the rings have.
func (o *Observer) round() {
	var events []event
	for _, cpu := range o.cpus {
		err := cpu.ring.drain(func(b []byte) {
			rec, ok := o.points.registers.decode(b)
			if !ok {
				return // of a kind without a meaning here
			}
			o.lost += rec.lost
			if e, ok := o.points.interpret(rec, live{}); ok {
				events = append(events, e)
			}
		})
		o.err = errors.Join(o.err, err)
	}
	o.order.round(events, o.collector.add)
}

// closeTimeout limits how long Close waits for the reader, which may wait for the memory
// of an observed process: userfaultfd(2), or a file system in user space.
const closeTimeout = 10 * time.Second

// Close stops recording and returns everything that was recorded. The tree may still run.
// Close removes what the observer made in the kernel. A second call returns an error.
func (o *Observer) Close() (*Recording, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, errors.New("record capability checks: already closed")
	}
	o.closed = true
	var err error
	for _, cpu := range o.cpus {
		err = errors.Join(err, cpu.disable())
	}
	if _, wakeErr := unix.Write(o.stop, binary.NativeEndian.AppendUint64(nil, 1)); wakeErr != nil {
		return nil, fmt.Errorf("record capability checks: end the reader: %w", wakeErr)
	}
	select {
	case <-o.done:
	case <-time.After(closeTimeout):
		return nil, errors.New("record capability checks: a process blocks reads of its memory or of its program; end it before Close")
	}
	counted := uint64(0)
	for _, cpu := range o.cpus {
		counted += cpu.lost()
	}
	counted = max(counted, o.lost)
	if o.points.probes.check != "" {
		profile, readErr := o.trace.read(probeProfile)
		err = errors.Join(err, readErr)
		counted += missed(profile, o.points.probes.check, o.points.probes.result)
	}
	if err = errors.Join(err, o.err, o.release()); err != nil {
		return nil, fmt.Errorf("record capability checks: %w", err)
	}
	return o.collector.finish(counted), nil
}

// release closes everything, and removes the probes.
func (o *Observer) release() (err error) {
	for _, cpu := range o.cpus {
		err = errors.Join(err, cpu.close())
	}
	if p := o.points.probes; p.check != "" {
		err = errors.Join(err, o.trace.removeProbes(p.check, p.result))
	}
	if o.stop >= 0 {
		err = errors.Join(err, unix.Close(o.stop))
	}
	return errors.Join(err, o.trace.close())
}

// architecture is that of this program, and of the programs whose arguments it can read.
const architecture = runtime.GOARCH
