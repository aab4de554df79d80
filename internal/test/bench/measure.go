package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// samples are the times of one launcher, one per round.
type samples struct {
	wall, cpu []time.Duration
}

// environment is the same for every launcher and user.
var environment = [...]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}

// warmup is the number of rounds not measured: they fill the page cache.
const warmup = 3

// measure starts each launcher once per round. A launcher that does not start the
// target gets a note instead.
func measure(rows []*row, rounds int) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for _, r := range rows {
		if r.note == "" {
			r.note = try(r.argv)
		}
	}
	for n := range warmup + rounds {
		for at := range rows {
			// Each round starts with another row, so that no row always follows the
			// same one.
			r := rows[(at+n)%len(rows)]
			if r.note != "" {
				continue
			}
			wall, cpu, err := launch(r.argv, null)
			switch {
			case err != nil:
				r.note = err.Error()
			case n >= warmup:
				r.wall, r.cpu = append(r.wall, wall), append(r.cpu, cpu)
			}
		}
	}
	return nil
}

// try starts a launcher for the first time. It returns the launcher's output if it
// does not start the target.
func try(argv []string) (note string) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = environment[:]
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == done {
		return ""
	}
	if said, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n"); said != "" {
		return said
	}
	return fmt.Sprint(err)
}

// launch measures one start, to the end of the process. null is its standard input
// and output: a Go runtime would spend time on closed ones.
func launch(argv []string, null *os.File) (wall, cpu time.Duration, err error) {
	attr := &os.ProcAttr{Env: environment[:], Files: []*os.File{null, null, null}}
	begin := time.Now()
	p, err := os.StartProcess(argv[0], argv, attr)
	if err != nil {
		return 0, 0, err
	}
	state, err := p.Wait()
	wall = time.Since(begin)
	if err == nil && state.ExitCode() != done {
		err = fmt.Errorf("exited with %v", state)
	}
	if err != nil {
		return 0, 0, err
	}
	return wall, state.UserTime() + state.SystemTime(), nil
}

// median returns the median, and 0 without a measurement.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
