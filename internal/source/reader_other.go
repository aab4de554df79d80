//go:build !linux

package source

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

func (r *Reader) read(path string) ([]byte, error) { return r.open(path, os.Stat) }

func (r *Reader) readNoLinks(path string) ([]byte, error) {
	return r.open(path, func(path string) (os.FileInfo, error) {
		if real, err := filepath.EvalSymlinks(path); err != nil || real != path {
			return nil, cmp.Or(err, errReplaced)
		}
		return os.Lstat(path)
	})
}

// open reads a file if stat, called after it was opened, finds the same file.
func (r *Reader) open(path string, stat func(string) (os.FileInfo, error)) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if now, err := stat(path); err != nil {
		return nil, err
	} else if !os.SameFile(info, now) {
		return nil, errReplaced
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	n, err := io.ReadFull(f, r.buffer[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return r.finish(path, f, n)
}
