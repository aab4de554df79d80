package checkrun

import (
	"errors"

	"caprun/policy"
)

// A fileReader reads files, one at a time. Its methods return at most the first
// policy.MaxSize+1 bytes. They refuse files that are not regular, and do not wait for
// the writer of a FIFO.
//
// read follows symbolic links. readNoLinks refuses them: a link that replaces a file
// after the search could lead to any other file.
type fileReader struct {
	buffer [policy.MaxSize + 1]byte
}

var (
	errNotRegular = errors.New("not a regular file")
	errReplaced   = errors.New("the file or a directory above it was replaced by a symbolic link after the search; not followed")
)
