package checkrun

import (
	"errors"

	"caprun/policy"
)

// A fileReader reads one file after the other. Its read returns the text of a
// regular file, or so much of it that it is seen to be too large. Whose the
// file is does not matter where nothing is started. It never waits: what has
// become a FIFO since it was found is refused. readFound refuses what has
// become a link too: it may lead to what was never found.
type fileReader struct {
	buffer [policy.MaxSize + 1]byte
}

var (
	errNotRegular = errors.New("not a regular file")
	errExchanged  = errors.New("it, or a directory above it, was exchanged for a symbolic link since it was found; nothing is read through it")
)
