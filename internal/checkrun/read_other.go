//go:build !linux

package checkrun

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

func (r *fileReader) read(path string) ([]byte, error) { return r.open(path, os.Stat) }

// readFound reads what lay at a path without links.
func (r *fileReader) readFound(path string) ([]byte, error) {
	return r.open(path, func(path string) (os.FileInfo, error) {
		if real, err := filepath.EvalSymlinks(path); err != nil || real != path {
			return nil, cmp.Or(err, errExchanged)
		}
		return os.Lstat(path)
	})
}

// open reads a file if a look at its path finds the same.
func (r *fileReader) open(path string, look func(string) (os.FileInfo, error)) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if there, err := look(path); err != nil {
		return nil, err
	} else if !os.SameFile(info, there) {
		return nil, errExchanged
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	n, err := io.ReadFull(f, r.buffer[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return slices.Clone(r.buffer[:n]), nil
}
