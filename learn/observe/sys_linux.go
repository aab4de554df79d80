package observe

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openEvent opens a perf event for a process on one CPU, or on any if cpu is -1.
func openEvent(attr *unix.PerfEventAttr, pid, cpu int) (int, error) {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	for {
		fd, err := unix.PerfEventOpen(attr, pid, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// A ring is the memory that the kernel and a reader share: struct perf_event_mmap_page,
// and the records.
type ring struct {
	memory []byte
	page   *unix.PerfEventMmapPage
	data   []byte
}

// mapRing maps the ring of an event. size is a power of two of pages.
func mapRing(fd, size int) (ring, error) {
	first := unix.Getpagesize()
	memory, err := unix.Mmap(fd, 0, first+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return ring{}, err
	}
	return ring{memory, (*unix.PerfEventMmapPage)(unsafe.Pointer(&memory[0])), memory[first:]}, nil
}

// drain calls visit with each record that is in the ring now.
func (r ring) drain(visit func(record []byte)) error {
	head := atomic.LoadUint64(&r.page.Data_head)
	tail, err := readRing(r.data, r.page.Data_tail, head, visit)
	atomic.StoreUint64(&r.page.Data_tail, tail)
	return err
}

// unmap unmaps the ring.
func (r ring) unmap() error { return unix.Munmap(r.memory) }

// readMemory reads from the memory of a process: process_vm_readv(2).
func readMemory(pid int, address uint64, b []byte) bool {
	if uint64(uintptr(address)) != address || len(b) == 0 {
		return false
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	n, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(address), Len: len(b)}}, 0)
	return err == nil && n == len(b)
}

// ignoreEINTR repeats a system call that a signal interrupted.
func ignoreEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// openAt opens a file relative to a directory.
func openAt(dir int, path string, flags int) (fd int, err error) {
	err = ignoreEINTR(func() error {
		fd, err = unix.Openat(dir, path, flags|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

// mountTracefs returns a descriptor of the root of tracefs, which is mounted nowhere: the
// mount ends with its descriptor.
func mountTracefs() (int, error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
}
