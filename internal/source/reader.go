package source

import (
	"errors"

	"caprun/policy"
)

// A Reader reads files, one at a time. Its methods return at most the first
// policy.MaxSize+1 bytes. They refuse files that are not regular, and do not wait for
// the writer of a FIFO.
//
// Read follows symbolic links. ReadNoLinks refuses them: a link that replaces a file
// after the search could lead to any other file.
type Reader struct {
	buffer [policy.MaxSize + 1]byte
}

var (
	// ErrNotRegular is the error for a directory, FIFO, device or socket.
	ErrNotRegular = errors.New("not a regular file")
	errReplaced   = errors.New("the file or a directory above it was replaced by a symbolic link after the search; not followed")
)
