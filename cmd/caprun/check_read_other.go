//go:build !entrypoint && !linux

package main

import (
	"io"
	"os"
	"slices"
	"syscall"
)

func (r *fileReader) read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
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
