package observe

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// ownNamespace returns the address of this process's user namespace in the kernel, as
// events of checks name it.
//
// It is learned from a check that the thread causes: prctl(PR_CAPBSET_DROP, 63) asks for
// cap_setpcap in the thread's own user namespace before it refuses the unknown capability:
// cap_prctl_drop (security/commoncap.c). It changes nothing.
func (t *tracepoints) ownNamespace() (namespace uint64, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd, err := t.open(t.attributes(t.check.id), 0, -1)
	if err != nil {
		return 0, explainRefusal(fmt.Errorf("perf_event_open: %w", err))
	}
	defer unix.Close(fd)
	r, err := mapRing(fd, unix.Getpagesize())
	if err != nil {
		return 0, ringError(unix.Getpagesize(), err)
	}
	defer r.unmap()
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return 0, fmt.Errorf("perf events: enable: %w", err)
	}
	const unknown = 63
	_ = unix.Prctl(unix.PR_CAPBSET_DROP, unknown, 0, 0, 0) // EINVAL or EPERM
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_DISABLE, 0); err != nil {
		return 0, fmt.Errorf("perf events: disable: %w", err)
	}
	err = r.drain(func(b []byte) {
		rec, ok := t.registers.decode(b)
		if ok && rec.kind == recordSample && typeOf(rec.raw) == t.check.id && t.check.number(rec.raw, "cap") == unix.CAP_SETPCAP {
			namespace = uint64(t.check.number(rec.raw, "target_ns"))
		}
	})
	if err == nil && namespace == 0 {
		err = errors.New("the kernel recorded no check of cap_setpcap by prctl(PR_CAPBSET_DROP)")
	}
	return namespace, err
}
