package main

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

// supervisorAdvice says which process to verify in place of a supervisor; empty
// where the process is none. A process can choose what makes it look like one, so
// this is advice: it changes no result.
func supervisorAdvice(p *machine.Process) string {
	if !heldBySupervisor(p) {
		return ""
	}
	dir := fmt.Sprintf("/proc/%d/", p.PID)
	if !isSupervised(readBriefly(dir + "cmdline")) {
		return ""
	}
	what := "its command line is that of a supervisor (-init)"
	own, err := os.Stat("/proc/self/exe")
	if err == nil {
		if exe, err := os.Stat(dir + "exe"); err == nil && os.SameFile(own, exe) {
			what = "it is a supervisor (-init)"
		}
	}
	switch programs := leadingChildren(p.PID); len(programs) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("process %d: %s, and the program that it started is process %s; verify that one", p.PID, what, programs[0])
	default:
		return fmt.Sprintf("process %d: %s, and the program that it started is one of the processes %s; verify that one",
			p.PID, what, strings.Join(programs[:min(len(programs), 8)], ", "))
	}
}

// heldBySupervisor reports whether every thread holds what a supervisor does:
// cap_kill at most.
func heldBySupervisor(p *machine.Process) bool {
	for _, s := range p.States {
		if c := s.Cred; !c.NoNewPrivs || c.Inheritable|c.Ambient != 0 || !c.Permitted.SubsetOf(cred.CapsOf(int(cap.KILL))) {
			return false
		}
	}
	return len(p.States) > 0
}

// isSupervised reports whether a command line, as proc_pid_cmdline(5) has it,
// starts a launch with -init.
func isSupervised(cmdline string) bool {
	args := strings.Split(cmdline, "\x00")
	var o launchOptions
	_, err := newLaunchForm(&o).parse(args[1:])
	return err == nil && o.supervised
}

// leadingChildren returns the pids of the children of a process that lead a
// process group: a supervisor puts the program that it starts into one. Adopted
// orphans can be among them.
func leadingChildren(parent int) []string {
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

// readBriefly returns the beginning of a file of /proc; empty where it cannot be
// read soon: the command line is in the memory of the process, which can make
// who reads it wait.
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
