package declared

import (
	"fmt"

	"caprun/policy"
)

// MaxSize is the largest length of a file of a platform, in bytes. A manifest with every
// service of a system has a few hundred kilobytes.
const MaxSize = 1 << 20

// MaxProcesses is the largest number of processes in one file. A list of pods that a
// cluster prints can have hundreds.
const MaxProcesses = 1024

// A File is a file of a platform.
type File struct {
	Name string // in messages and comments
	Text []byte
}

// Check returns an error if the file is too large.
func (f File) Check() error {
	if len(f.Text) > MaxSize {
		return fmt.Errorf("file exceeds %d KiB", MaxSize>>10)
	}
	return nil
}

// A Source is a declaration in a file.
type Source struct {
	File string
	policy.Position

	// Text is the declaration, such as "User=www-data". It is untrusted.
	Text string
}

// Result is what the files of a platform declare.
type Result struct {
	Processes []*Process // in the order of the files

	// Findings are those that belong to no process, such as an error of syntax. If
	// one has the severity Error, there are no processes. A file can have none.
	Findings []policy.Diagnostic
}
