package run

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// process is a process, as /proc/PID/stat describes it: proc_pid_stat(5).
type process struct {
	pid, parent int
	name        string // untrusted
	start       uint64 // in clock ticks since the boot
	dead        bool   // a zombie without other threads
}

// maxStat bounds /proc/PID/stat: the name has 64 bytes at most, and each of 52 numbers has
// 20 digits.
const maxStat = 2 << 10

// readProcess reads the description of a process.
func readProcess(pid int) (process, error) {
	data, err := readProcFile(strconv.Itoa(pid)+"/stat", maxStat)
	if err != nil {
		return process{}, err
	}
	return parseStat(data)
}

// parseStat parses /proc/PID/stat. The name may contain parentheses and spaces.
func parseStat(data []byte) (p process, err error) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open {
		return p, errStat
	}
	p.name = string(data[open+1 : end])
	fields := strings.Fields(string(data[end+1:]))
	const state, parent, threads, start = 0, 1, 17, 19 // fields 3, 4, 20 and 22 of proc_pid_stat(5)
	if len(fields) <= start {
		return p, errStat
	}
	if p.pid, err = strconv.Atoi(strings.TrimSpace(string(data[:open]))); err != nil {
		return p, errStat
	}
	if p.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return p, errStat
	}
	if p.start, err = strconv.ParseUint(fields[start], 10, 64); err != nil {
		return p, errStat
	}
	// The leader of a process whose other threads run is a zombie, too.
	n, err := strconv.Atoi(fields[threads])
	if err != nil {
		return p, errStat
	}
	p.dead = (fields[state] == "Z" || fields[state] == "X") && n <= 1
	return p, nil
}

var errStat = errors.New("unexpected content of /proc/PID/stat")

// descendants returns the processes below this one that run, except those in the trees
// whose roots are in without.
func descendants(without ...int) ([]process, error) {
	pids, err := processIDs()
	if err != nil {
		return nil, err
	}
	all := map[int]process{}
	for _, pid := range pids {
		// A process can end meanwhile.
		if p, err := readProcess(pid); err == nil {
			all[pid] = p
		}
	}
	self := os.Getpid()
	if _, ok := all[self]; !ok {
		return nil, errors.New("/proc does not show this process; mount the proc file system of this PID namespace")
	}
	below := map[int]bool{self: true}
	for _, pid := range without {
		below[pid] = false
	}
	var isBelow func(pid, depth int) bool
	isBelow = func(pid, depth int) bool {
		known, ok := below[pid]
		if ok {
			return known
		}
		p, exists := all[pid]
		// A chain cannot be longer than the list. It can have a cycle if a process ID was
		// reused meanwhile.
		is := exists && depth <= len(all) && isBelow(p.parent, depth+1)
		below[pid] = is
		return is
	}
	var list []process
	for pid, p := range all {
		if pid != self && !p.dead && isBelow(pid, 0) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b process) int { return a.pid - b.pid })
	return list, nil
}

// children returns the process IDs of the children of this process.
func children() ([]int, error) {
	threads, err := readProcNames("self/task")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, thread := range threads {
		data, err := readProcFile("self/task/"+thread+"/children", maxChildren)
		if errors.Is(err, unix.ENOENT) {
			if _, gone := readProcNames("self/task/" + thread); gone != nil {
				continue // the thread has ended, and another one has its children
			}
			return nil, fmt.Errorf("/proc/self/task/%s/children: %w; use a kernel with CONFIG_PROC_CHILDREN", thread, err)
		}
		if err != nil {
			return nil, err
		}
		for _, field := range strings.Fields(string(data)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("unexpected content of /proc/self/task/%s/children", thread)
			}
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// maxChildren bounds a list of children: a system has at most 4194304 processes.
const maxChildren = 32 << 20

// processIDs lists /proc.
func processIDs() ([]int, error) {
	names, err := readProcNames(".")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// signal sends a signal to a process, unless it has ended. Another process can have got
// its ID meanwhile, so the process is examined after the pidfd was opened.
func (p process) signal(sig unix.Signal) error {
	fd, err := unix.PidfdOpen(p.pid, 0)
	switch {
	case err == unix.ESRCH || err == unix.EINVAL: // EINVAL: now the ID of a thread
		return nil
	case err != nil:
		return fmt.Errorf("pidfd_open %d: %w", p.pid, err)
	}
	defer unix.Close(fd)
	now, err := readProcess(p.pid)
	if err != nil || now.start != p.start {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && err != unix.ESRCH {
		return fmt.Errorf("send %s to process %d (%q): %w", unix.SignalName(sig), p.pid, p.name, err)
	}
	return nil
}

// maxStatus bounds /proc/PID/status: a process can have 65536 groups.
const maxStatus = 1 << 20

// identity reads the IDs of a process.
func (p process) identity() (id Identity, err error) {
	data, err := readProcFile(strconv.Itoa(p.pid)+"/status", maxStatus)
	if err != nil {
		return id, err
	}
	return parseIdentity(data)
}

// parseIdentity parses the lines Uid, Gid and Groups of /proc/PID/status.
func parseIdentity(data []byte) (id Identity, err error) {
	found := 0
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		var numbers []uint32
		if name != "Uid" && name != "Gid" && name != "Groups" {
			continue
		}
		for _, field := range strings.Fields(value) {
			n, err := strconv.ParseUint(field, 10, 32)
			if err != nil {
				return id, errStatus
			}
			numbers = append(numbers, uint32(n))
		}
		switch name {
		case "Groups":
			slices.Sort(numbers)
			id.Groups = slices.Compact(numbers)
		default:
			if len(numbers) != 4 {
				return id, errStatus
			}
			if name == "Uid" {
				id.UIDs = [4]uint32(numbers)
			} else {
				id.GIDs = [4]uint32(numbers)
			}
		}
		found++
	}
	if found != 3 {
		return id, errStatus
	}
	return id, nil
}

var errStatus = errors.New("unexpected content of /proc/PID/status")
