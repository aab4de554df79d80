// Package source finds the profile that an argument of the command names.
package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"caprun/engine/machine"
	"caprun/platform"
	"caprun/policy"
	"caprun/profiles"
	"caprun/seal"
)

// etc is the directory of the profiles that have a plain name.
const etc = "/etc/caprun/"

// Source is the origin of a profile.
type Source struct {
	Name string // the name in messages
	path string // of a file; empty otherwise
	read func(max int) ([]byte, error)
}

// Find returns the source for an argument of -profile: a path, the name of a profile
// in /etc/caprun, "builtin:" and the name of a built-in profile, or "-" for stdin. It
// searches no other directory, and uses no environment variable.
func Find(arg string, stdin io.Reader) (Source, error) {
	builtin, isBuiltin := strings.CutPrefix(arg, "builtin:")
	switch {
	case arg == "":
		return Source{}, errors.New("empty profile name")
	case arg == "-":
		return Source{Name: "<stdin>", read: func(max int) ([]byte, error) { return readStream(stdin, max) }}, nil
	case isBuiltin:
		return Source{Name: arg, read: func(int) ([]byte, error) {
			text, err := profiles.Read(builtin)
			if err != nil {
				return nil, fmt.Errorf("unknown built-in profile; the names are %s", strings.Join(profiles.Names(), ", "))
			}
			return text, nil
		}}, nil
	case HasSeparator(arg), IsProfileName(arg), strings.HasSuffix(arg, ".json"):
		return Source{Name: arg, path: arg}, nil
	case !plainName(arg):
		return Source{}, fmt.Errorf("invalid profile %q: want a file (with a slash, or ending in .yaml, .yml, .service or .json) or a name (letters, digits, - and _)", arg)
	}
	return Source{Name: etc + arg + ".yaml", path: etc + arg + ".yaml"}, nil
}

// FindFile returns the source for a file of another platform: a path, or "-" for stdin.
func FindFile(arg string, stdin io.Reader) (Source, error) {
	if arg == "" || arg == "-" {
		return Find(arg, stdin)
	}
	return Source{Name: arg, path: arg}, nil
}

// HasSeparator reports whether a text has a character that separates the names in a path: a
// slash, on Windows also \.
func HasSeparator(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(byte(r)) })
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

// Text returns the bytes of the profile, for a launch. It opens a file once. With strict it
// refuses a file that another user can write.
func (s Source) Text(strict bool) ([]byte, error) {
	text, err := s.bytes(policy.MaxSize+1, strict)
	switch {
	case err != nil:
	case seal.IsELF(text):
		err = errLaunch
	default:
		if kind := platform.Detect(s.Name, text); kind != platform.Profile {
			err = kind.NotProfile()
		}
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// bytes returns the first max bytes of the source.
func (s Source) bytes(max int, strict bool) ([]byte, error) {
	if s.read != nil {
		return s.read(max)
	}
	text, err := machine.ReadTrusted(s.path, max, strict)
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if errors.Is(err, fs.ErrNotExist) && (strings.HasPrefix(s.path, "/dev/fd/") || strings.HasPrefix(s.path, "/proc/")) {
		err = fmt.Errorf("%w; to read a pipe, pass -profile -", err)
	}
	if name, ok := strings.CutPrefix(s.path, etc); ok && errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w%s", err, missingHint(name))
	}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		err = fmt.Errorf("%w; raise the limit of open files (RLIMIT_NOFILE): caprun needs about ten", err)
	}
	return text, err
}

// missingHint returns what to do about a profile that is not in /etc/caprun. The working
// directory is only searched for the message.
func missingHint(file string) string {
	name := strings.TrimSuffix(file, ".yaml")
	for _, file := range []string{file, name} {
		if info, err := os.Lstat(file); err == nil && !info.IsDir() {
			return "; for the file in the working directory, write ./" + file
		}
	}
	return builtinHint(name)
}

// builtinHint returns a hint if a built-in profile has the name.
func builtinHint(name string) string {
	if !slices.Contains(profiles.Names(), name) {
		return ""
	}
	return "; did you mean builtin:" + name + "?"
}

// FileHint returns what to do about an argument that must be a file, and for which err is
// the error: a word without a slash can be the name of a profile, which -profile takes. It is
// empty if the error is another one than that no such file exists.
func FileHint(arg string, err error) string { return fileHint(etc, arg, err) }

func fileHint(directory, arg string, err error) string {
	if !errors.Is(err, fs.ErrNotExist) || !plainName(arg) {
		return ""
	}
	file := directory + arg + ".yaml"
	if info, err := os.Lstat(file); err == nil && !info.IsDir() {
		return "; write " + file
	}
	return builtinHint(arg)
}

// LaunchedProfile returns a function that returns the text of a profile for a value of
// -profile in a file of another platform, or why a launch as root cannot read it: of a
// built-in profile, and with files also of a file. For any other it returns nothing.
func LaunchedProfile(files bool) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name == "-" || !files && !strings.HasPrefix(name, "builtin:") {
			return nil, nil
		}
		src, err := Find(name, nil)
		if err != nil {
			return nil, err
		}
		// Whom a reader trusts depends on its user: only root reads as a launch as root does.
		text, err := src.Text(os.Geteuid() == 0)
		if errors.Is(err, fs.ErrPermission) {
			return nil, nil // the user of check may not read it; root may
		}
		return text, err
	}
}

// ReadStream reads what a review reads from a stream. name is that in messages.
func ReadStream(name string, r io.Reader) (Content, error) {
	data, err := readStream(r, maxSize+1)
	if err != nil {
		return Content{}, err
	}
	return NewContent(name, data)
}

func readStream(r io.Reader, max int) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, int64(max)))
}
