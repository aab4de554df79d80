package supervise

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Advice returns a message with the process to verify instead of p, a supervisor. It
// returns "" if p is not one. isInit reports whether arguments of caprun select -init.
// Any process can look like a supervisor, so this must not change a result.
func Advice(p *machine.Process, isInit func(args []string) bool) string {
	if !hasSupervisorPrivilege(p) {
		return ""
	}
	dir := fmt.Sprintf("/proc/%d/", p.PID)
	args := strings.Split(readBriefly(dir+"cmdline"), "\x00") // proc_pid_cmdline(5)
	if !isInit(args[1:]) {
		return ""
	}
	what := "has the command line of a supervisor (-init)"
	// Not by opening /proc/PID/exe: see machine.Process.FileID.
	if own, err := machine.ReadProcess(os.Getpid()); err == nil && own.FileID != (machine.FileID{}) && own.FileID == p.FileID {
		what = "is a supervisor (-init)"
	}
	switch targets := childGroupLeaders(p.PID); len(targets) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("process %d %s; to verify its target, use -pid %s", p.PID, what, targets[0])
	default:
		return fmt.Sprintf("process %d %s; to verify its target, use one of its children as -pid: %s",
			p.PID, what, strings.Join(targets[:min(len(targets), 8)], ", "))
	}
}

// hasSupervisorPrivilege reports whether every thread has the privilege of a
// supervisor: cap_kill at most.
func hasSupervisorPrivilege(p *machine.Process) bool {
	for _, s := range p.States {
		if c := s.Cred; !c.NoNewPrivs || c.Inheritable|c.Ambient != 0 || !c.Permitted.SubsetOf(cred.CapsOf(int(cap.KILL))) {
			return false
		}
	}
	return len(p.States) > 0
}

// childGroupLeaders returns the process IDs of the children of a process that lead a
// process group, as the target of a supervisor does. Adopted orphans can be among them.
func childGroupLeaders(parent int) []string {
	entries, _ := os.ReadDir("/proc")
	var pids []string
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err != nil || pid < 1 {
			continue
		}
		// proc_pid_stat(5): state, parent, process group after the name.
		stat := readBriefly("/proc/" + e.Name() + "/stat")
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		if len(fields) > 2 && fields[1] == strconv.Itoa(parent) && fields[2] == e.Name() {
			pids = append(pids, e.Name())
		}
	}
	return pids
}

// readBriefly returns the beginning of a file of /proc, or "" if it cannot be read
// within a second: the command line is in the memory of the process, which can block
// readers.
func readBriefly(path string) string {
	const most, longest = 64 << 10, time.Second
	text := make(chan string, 1)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			text <- ""
			return
		}
		defer f.Close()
		data, _ := io.ReadAll(io.LimitReader(f, most))
		text <- string(data)
	}()
	select {
	case s := <-text:
		return s
	case <-time.After(longest):
		return ""
	}
}
