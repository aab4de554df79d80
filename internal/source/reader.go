package source

import (
	"errors"
	"io"
	"slices"

	"caprun/platform"
	"caprun/policy"
	"caprun/seal"
)

// A Reader reads files for a review, one at a time: at most the first policy.MaxSize+1
// bytes of a profile, and more only of other files. It refuses files that are not regular,
// and does not wait for the writer of a FIFO.
type Reader struct {
	buffer [policy.MaxSize + 1]byte
}

// Read returns the content of a file, with the drop-ins and sockets of a unit. It follows
// symbolic links. name is that in messages.
func (r *Reader) Read(name, path string) (Content, error) { return r.content(name, path, r.read) }

// ReadNoLinks is Read, and refuses symbolic links: a link that replaces a file after the
// search could lead to any other file.
func (r *Reader) ReadNoLinks(name, path string) (Content, error) {
	return r.content(name, path, r.readNoLinks)
}

func (r *Reader) content(name, path string, read func(path string) ([]byte, error)) (Content, error) {
	data, err := read(path)
	if err != nil {
		if isMasked(path) {
			err = errMasked
		}
		return Content{}, err
	}
	c, err := NewContent(name, data)
	if err == nil {
		err = c.readCompanions(name, path, read)
	}
	return c, err
}

// finish returns the bytes of a file of which r.buffer[:n] has been read. It reads the
// remaining bytes of a sealed launcher, and of a file of another platform.
func (r *Reader) finish(path string, file io.Reader, n int) ([]byte, error) {
	data := slices.Clone(r.buffer[:n])
	if n < len(r.buffer) || !seal.IsELF(data) && platform.Detect(path, data) == platform.Profile {
		return data, nil
	}
	rest, err := readStream(file, maxSize+1-n)
	return append(data, rest...), err
}

var (
	// ErrNotRegular is the error for a directory, FIFO, device or socket.
	ErrNotRegular = errors.New("not a regular file")
	errReplaced   = errors.New("the file or a directory above it was replaced by a symbolic link after the search; not followed")
)
