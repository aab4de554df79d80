// Package source finds the profile that an argument of the command names.
package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"caprun/engine/machine"
	"caprun/policy"
	"caprun/profiles"
)

// etc is where profiles with a plain name lie.
const etc = "/etc/caprun/"

// Source is where a profile comes from.
type Source struct {
	Name string // what messages call it
	path string // of a file; empty otherwise
	read func() ([]byte, error)
}

// Find returns the source that the argument of -profile names; stdin is what "-"
// stands for. Nothing is found from the working directory or the environment: a
// name is a name of /etc/caprun.
func Find(arg string, stdin io.Reader) (Source, error) {
	builtin, isBuiltin := strings.CutPrefix(arg, "builtin:")
	switch {
	case arg == "":
		return Source{}, errors.New("-profile needs a profile")
	case arg == "-":
		return Source{Name: "<stdin>", read: func() ([]byte, error) { return ReadStream(stdin) }}, nil
	case isBuiltin:
		return Source{Name: arg, read: func() ([]byte, error) {
			text, err := profiles.Read(builtin)
			if err != nil {
				return nil, fmt.Errorf("there is no such profile; there are %s", strings.Join(profiles.Names(), ", "))
			}
			return text, nil
		}}, nil
	case strings.Contains(arg, "/"), strings.HasSuffix(arg, ".yaml"), strings.HasSuffix(arg, ".yml"):
		return Source{Name: arg, path: arg}, nil
	case !plainName(arg):
		return Source{}, fmt.Errorf("profile %q: neither a file (with a slash, or ending in .yaml) nor a name (letters, digits, - and _)", arg)
	}
	return Source{Name: etc + arg + ".yaml", path: etc + arg + ".yaml"}, nil
}

// plainName reports whether s can be the name of a profile in /etc/caprun.
func plainName(s string) bool {
	for n, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (n == 0 || r != '-' && r != '_') {
			return false
		}
	}
	return s != ""
}

// Text returns the bytes of a profile, from one open file. strict refuses a file
// that another user can write.
func (s Source) Text(strict bool) ([]byte, error) {
	if s.read != nil {
		return s.read()
	}
	text, err := machine.ReadTrusted(s.path, policy.MaxSize+1, strict)
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if errors.Is(err, fs.ErrNotExist) && (strings.HasPrefix(s.path, "/dev/fd/") || strings.HasPrefix(s.path, "/proc/")) {
		err = fmt.Errorf("%w; for a pipe write -profile -", err)
	}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		err = fmt.Errorf("%w; allow caprun some ten descriptors: RLIMIT_NOFILE", err)
	}
	return text, err
}

// ReadStream reads a profile from a stream; one byte more than a profile may
// have is enough to refuse it.
func ReadStream(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, policy.MaxSize+1))
}
