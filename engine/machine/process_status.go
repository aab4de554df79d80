package machine

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// threadStatus is the content of a status file, see proc_pid_status(5).
type threadStatus struct {
	name  string
	state byte // a letter: Z for a zombie, X for a dead thread
	tgid  int
	pid   int
	cred  cred.Cred

	// switches are the numbers of voluntary and involuntary context switches.
	switches [2]uint64
}

// asleep reports whether the thread was neither running nor ready to run.
func (s threadStatus) asleep() bool { return s.state != 'R' }

// ended reports whether the thread has ended.
func (s threadStatus) ended() bool { return s.state == 'Z' || s.state == 'X' }

// statusFields are the lines of a status file that are read, in the order in
// which the kernel writes them.
var statusFields = [...]string{
	"Name", "State", "Tgid", "Pid", "Uid", "Gid", "Groups",
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
	"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches",
}

// parseStatus parses a status file. It requires each of the statusFields exactly once
// and in the kernel's order, so that the name of a process, which it chooses itself,
// cannot forge another line. The kernel writes a newline in a name as \n and a
// backslash as \\.
func parseStatus(data []byte) (threadStatus, error) {
	var s threadStatus
	next := 0
	for line := range bytes.Lines(data) {
		key, value, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), ":")
		n := slices.Index(statusFields[:], key)
		if !ok || n < 0 {
			if next == 0 {
				return s, fmt.Errorf("invalid status file: the first line is not Name")
			}
			continue
		}
		if n != next {
			return s, fmt.Errorf("invalid status file: line %s instead of %s", key, statusFields[min(next, len(statusFields)-1)])
		}
		next++
		if err := s.set(key, strings.TrimPrefix(value, "\t")); err != nil {
			return s, fmt.Errorf("invalid status file: line %s: %w", key, err)
		}
	}
	if next < len(statusFields) {
		return s, fmt.Errorf("invalid status file: no line %s", statusFields[next])
	}
	s.cred.All = cred.FirstCaps(int(cap.MaxBits()))
	return s, nil
}

func (s *threadStatus) set(key, value string) (err error) {
	c := &s.cred
	switch key {
	case "Name":
		s.name = unescapeName(value)
	case "State":
		if value == "" {
			return strconv.ErrSyntax
		}
		s.state = value[0]
	case "Tgid":
		s.tgid, err = strconv.Atoi(value)
	case "Pid":
		s.pid, err = strconv.Atoi(value)
	case "Uid":
		err = fourIDs(value, &c.UID, &c.EUID, &c.SUID, &c.FSUID)
	case "Gid":
		err = fourIDs(value, &c.GID, &c.EGID, &c.SGID, &c.FSGID)
	case "Groups":
		for field := range strings.FieldsSeq(value) {
			id, err := parseNumber(field)
			if err != nil {
				return err
			}
			c.Groups = append(c.Groups, id)
		}
		// In a user namespace they need not be sorted.
		slices.Sort(c.Groups)
	case "CapInh":
		c.Inheritable, err = capsMask(value)
	case "CapPrm":
		c.Permitted, err = capsMask(value)
	case "CapEff":
		c.Effective, err = capsMask(value)
	case "CapBnd":
		c.Bounding, err = capsMask(value)
	case "CapAmb":
		c.Ambient, err = capsMask(value)
	case "NoNewPrivs":
		if value != "0" && value != "1" {
			return strconv.ErrSyntax
		}
		c.NoNewPrivs = value == "1"
	case "voluntary_ctxt_switches":
		s.switches[0], err = strconv.ParseUint(value, 10, 64)
	case "nonvoluntary_ctxt_switches":
		s.switches[1], err = strconv.ParseUint(value, 10, 64)
	}
	return err
}

func unescapeName(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(s)
}

func fourIDs(value string, ids ...*uint32) error {
	fields := strings.Split(value, "\t")
	if len(fields) != len(ids) {
		return strconv.ErrSyntax
	}
	for n, f := range fields {
		id, err := parseNumber(f)
		if err != nil {
			return err
		}
		*ids[n] = id
	}
	return nil
}

func parseNumber(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

func capsMask(value string) (cred.Caps, error) {
	if len(value) != 16 {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(value, 16, 64)
	return cred.Caps(n), err
}

// kernelThread reports whether a stat file is that of a kernel thread.
func kernelThread(stat []byte) (bool, error) {
	// The name is in parentheses and may contain parentheses itself.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return false, fmt.Errorf("invalid stat file: no name")
	}
	const flagsField = 6 // after state, ppid, pgrp, session, tty_nr and tpgid
	f := strings.Fields(string(stat[end+1:]))
	if len(f) <= flagsField {
		return false, fmt.Errorf("invalid stat file: too few fields")
	}
	flags, err := strconv.ParseUint(f[flagsField], 10, 32)
	if err != nil {
		return false, fmt.Errorf("invalid stat file: flags: %w", err)
	}
	const kthread = 0x00200000 // PF_KTHREAD
	return flags&kthread != 0, nil
}
