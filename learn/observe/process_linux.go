package observe

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// live answers questions about running processes.
type live struct{}

func (live) read(pid int, address uint64, b []byte) bool { return readMemory(pid, address, b) }

func (live) link(pid int, name string) (string, bool) {
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, name))
	return target, err == nil
}

// ids reads the effective IDs and the groups from /proc/PID/task/TID/status.
func (live) ids(pid, tid int) *IDs {
	f, err := os.Open(fmt.Sprintf("/proc/%d/task/%d/status", pid, tid))
	if err != nil {
		return nil
	}
	defer f.Close()
	return parseIDs(f)
}

// parseIDs reads a file status: proc_pid_status(5). It returns nil if a line is missing.
func parseIDs(r io.Reader) *IDs {
	ids := IDs{}
	found := 0
	lines := bufio.NewReader(io.LimitReader(r, 1<<20))
	for {
		line, err := lines.ReadBytes('\n')
		key, value, _ := bytes.Cut(line, []byte(":"))
		switch string(key) {
		case "Uid", "Gid":
			// Real, effective, saved and file system ID.
			numbers := parseNumbers(string(value))
			if len(numbers) != 4 {
				return nil
			}
			if found++; key[0] == 'U' {
				ids.UID = numbers[1]
			} else {
				ids.GID = numbers[1]
			}
		case "Groups":
			found++
			ids.Groups = parseNumbers(string(value))
		}
		if err != nil {
			break
		}
	}
	if found != 3 {
		return nil
	}
	return &ids
}

func parseNumbers(text string) []uint32 {
	numbers := []uint32{}
	for word := range strings.FieldsSeq(text) {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil
		}
		numbers = append(numbers, uint32(n))
	}
	return numbers
}
