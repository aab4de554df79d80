package machine

import (
	"bytes"
	"fmt"
	"strconv"

	"caprun/cap"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// ReadResources reads the resources of the calling process that the steps of p depend
// on: limits, descriptors, the controlling terminal and access to keys. For the
// directories of p, see [CheckDirectories]. Call [RestoreOpenFiles] before.
func ReadResources(p *policy.Profile) (*Resources, error) {
	resources, err := ReadLimits(p)
	if err != nil {
		return nil, err
	}
	resources.Descriptors = map[int]Descriptor{}
	for _, fd := range relevantDescriptors(p) {
		if resources.Descriptors[fd], err = readDescriptorState(fd); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	if p.NewSession {
		resources.Terminal = readTerminal()
	}
	resources.Keys = cap.GetKeyAccess()
	return resources, nil
}

// RestoreOpenFiles sets the soft limit of open files of the calling process to the value
// that the process inherited, if the target of p inherits it too. Package
// syscall raises it before main. Programs that the process starts later inherit the
// restored value, too. Call it before [ReadLimits] and [ReadResources].
func RestoreOpenFiles(p *policy.Profile) error {
	if nofile := p.Rlimit("nofile"); !nofile.InheritSoft || nofile.InheritHard {
		return nil // no step has the inherited value
	}
	if err := restoreOpenFiles(); err != nil {
		return fmt.Errorf("restore the soft limit of open files: %w", err)
	}
	return nil
}

// ReadLimits reads the limits of the calling process that p declares, and nothing else.
func ReadLimits(p *policy.Profile) (*Resources, error) {
	resources := &Resources{Limits: map[int]Limit{}}
	for _, r := range p.Rlimits {
		number, ok := RlimitNumber(r.Name)
		if !ok {
			continue // no step has this limit
		}
		soft, hard, err := getrlimit(number)
		if err != nil {
			return nil, fmt.Errorf("getrlimit %s: %w", r.Name, err)
		}
		resources.Limits[number] = Limit{soft, hard}
		if r.Name != "nofile" {
			continue
		}
		if text, err := readFile("/proc/sys/fs/nr_open", 64); err == nil {
			resources.NrOpen, _ = strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
		}
	}
	return resources, nil
}

func readDescriptorState(fd int) (Descriptor, error) {
	closes, err := descriptorFlags(fd)
	if err == unix.EBADF {
		return Descriptor{}, nil
	}
	if err != nil {
		return Descriptor{}, err
	}
	directory, err := descriptorIsDirectory(fd)
	return Descriptor{Open: true, CloseOnExec: closes, Directory: directory}, err
}

// readTerminal queries the controlling terminal in the same ways in which package cap
// finds it and gives it up.
func readTerminal() *Terminal {
	t := &Terminal{GroupLeader: unix.Getpgrp() == unix.Getpid()}
	var st unix.Stat_t
	if unix.Stat("/dev/tty", &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(st.Rdev) == unix.Mkdev(5, 0) {
		fd, err := openAt(unix.AT_FDCWD, "/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK)
		if err == nil {
			unix.Close(fd)
		}
		t.DevTTY = err == nil || err == unix.ENXIO
	}
	session, err := unix.Getsid(0)
	for fd := range 3 {
		owner, ioctlErr := unix.IoctlGetInt(fd, unix.TIOCGSID)
		t.OnStandardFD = t.OnStandardFD || err == nil && ioctlErr == nil && owner == session
	}
	// Field 7 of proc_pid_stat(5), tty_nr, is after the name.
	const number = 7
	if text, err := readFile("/proc/self/stat", 4096); err == nil {
		name := bytes.LastIndexByte(text, ')')
		if fields := bytes.Fields(text[name+1:]); name >= 0 && len(fields) > number-3 {
			t.InProc, t.ProcNone = true, string(fields[number-3]) == "0"
		}
	}
	return t
}
