package source

import (
	"errors"
	"io"
	"slices"

	"caprun/policy"
	"caprun/seal"
)

// A Reader reads profiles, one at a time. Its methods return at most the first
// policy.MaxSize+1 bytes of a file or, of a sealed launcher, what ProfileText returns. They
// refuse files that are not regular, and do not wait for the writer of a FIFO.
//
// Read follows symbolic links. ReadNoLinks refuses them: a link that replaces a file
// after the search could lead to any other file.
type Reader struct {
	buffer [policy.MaxSize + 1]byte
}

// finish returns the result for a file of which r.buffer[:n] has been read. It reads the
// remaining bytes of a sealed launcher.
func (r *Reader) finish(file io.Reader, n int) ([]byte, error) {
	data := slices.Clone(r.buffer[:n])
	if !seal.IsELF(data) {
		return data, nil
	}
	if n == len(r.buffer) {
		rest, err := readStream(file, maxSize+1-n)
		if err != nil {
			return nil, err
		}
		data = append(data, rest...)
	}
	return ProfileText(data)
}

var (
	// ErrNotRegular is the error for a directory, FIFO, device or socket.
	ErrNotRegular = errors.New("not a regular file")
	errReplaced   = errors.New("the file or a directory above it was replaced by a symbolic link after the search; not followed")
)
