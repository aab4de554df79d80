package process

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"caprun/engine/machine"
	"caprun/platform/declared"
)

// maxFile is the largest length of a status file, in bytes: 65536 groups of ten digits.
const maxFile = 1 << 20

// Read returns the profile of the process pid, see [machine.ReadProcess] for the errors. It
// holds the directory of the process in /proc open, so that all that it reads belongs to one
// process.
func Read(pid int) (*declared.Process, error) {
	// For its errors: it says why a process cannot be read.
	if _, err := machine.ReadProcess(pid); err != nil {
		return nil, err
	}
	dir, err := os.OpenRoot(filepath.Join("/proc", strconv.Itoa(pid)))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	defer dir.Close()
	var s Surroundings
	if s.Status, err = readFile(dir, "status"); err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	if s.Limits, err = readFile(dir, "limits"); err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	p, err := machine.ReadProcess(pid)
	if err != nil {
		return nil, err
	}
	// A directory of a process that has ended cannot be read, so the number was not
	// reused in between.
	if _, err = readFile(dir, "status"); err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, machine.ErrProcessEnded)
	}
	return Declare(p, s), nil
}

func readFile(dir *os.Root, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s exceeds %d KiB", name, maxFile>>10)
	}
	return text, err
}
