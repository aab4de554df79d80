package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// samples are the times of one program, one per round.
type samples struct {
	wall, cpu []time.Duration
	memory    int64 // peak of its resident memory in bytes; 0 if unknown
}

// measure runs each program once per round, and once before to fill the page cache. A
// program that fails gets a note instead.
func measure(rows []*row, rounds int) {
	for n := range 1 + rounds {
		for at := range rows {
			// Each round starts with another row, so that no row always follows the
			// same one.
			r := rows[(at+n)%len(rows)]
			if r.note != "" {
				continue
			}
			wall, cpu, memory, err := once(r.argv, r.most)
			switch {
			case err != nil:
				r.note = err.Error()
			case n > 0:
				r.wall, r.cpu, r.memory = append(r.wall, wall), append(r.cpu, cpu), max(r.memory, memory)
			}
		}
	}
}

// once runs a program to its end. A status above most, or a signal, is an error.
func once(argv []string, most int) (wall, cpu time.Duration, memory int64, err error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	var messages bytes.Buffer
	cmd.Stderr = &messages // the output goes to /dev/null
	begin := time.Now()
	err = cmd.Run()
	wall = time.Since(begin)
	if cmd.ProcessState == nil {
		return 0, 0, 0, err
	}
	if status := cmd.ProcessState.ExitCode(); status < 0 || status > most {
		said, _, _ := strings.Cut(strings.TrimSpace(messages.String()), "\n")
		return 0, 0, 0, fmt.Errorf("%v: %s", cmd.ProcessState, said)
	}
	return wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak(cmd.ProcessState), nil
}

// median returns the median.
func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
