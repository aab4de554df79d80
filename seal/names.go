package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"caprun/engine/machine"
	"caprun/policy"
)

const (
	// maxAccountFile is the maximum size of /etc/passwd and /etc/group, as for a launch.
	maxAccountFile = 16 << 20

	// maxHome is PATH_MAX.
	maxHome = 4096

	// maxLinks is the number of symbolic links that the kernel follows, see
	// path_resolution(7).
	maxLinks = 40
)

// findAccounts returns the entries of the user and the groups that a profile names, in the
// image below dir; nil for a profile without names.
func findAccounts(p *policy.Profile, dir string) (*machine.Accounts, error) {
	if p.User == "" && len(groupNames(p)) == 0 {
		return nil, nil
	}
	if dir == "" {
		return nil, namesError(p, errors.New("a sealed launcher looks up no names"), "pass -root DIR, the root directory of the image, or write numbers")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, namesError(p, fmt.Errorf("root directory of the image: %w", err), "write numbers")
	}
	defer root.Close()
	accounts, err := machine.FindAccounts(p, func(name string) ([]byte, error) { return readInRoot(root, name) })
	if err == nil && accounts.User != nil {
		if err := checkUser(accounts.User); err != nil {
			return nil, namesError(p, err, "correct the entry, or write uid and gid")
		}
	}
	return accounts, err
}

// namesError returns the error for the first key of p that has a name.
func namesError(p *policy.Profile, err error, hint string) error {
	e := &machine.Error{Profile: p, Err: err, Hint: hint}
	switch {
	case p.User != "":
		e.Key, e.Subject = "user", "user "+p.User
	case p.GID != nil && p.GID.Name != "":
		e.Key, e.Subject = "gid", "group "+p.GID.Name
	default:
		for n, g := range p.Groups {
			if g.Name != "" && e.Key == "" {
				e.Key, e.Subject = fmt.Sprintf("groups[%d]", n), "group "+g.Name
			}
		}
	}
	return e
}

// checkUser refuses an entry that would not be one line of text in the facts of a
// launcher, or not one variable of an environment.
func checkUser(u *machine.User) error {
	switch {
	case strings.ContainsFunc(u.Name, unicode.IsControl), strings.ContainsFunc(u.Home, unicode.IsControl):
		return errors.New("its entry in /etc/passwd has a control character")
	case len(u.Home) > maxHome:
		return errors.New("its home directory in /etc/passwd is too long")
	}
	return nil
}

// readInRoot returns the content of a regular file. It follows symbolic links as a process
// with this root does, and does not wait for the writer of a FIFO.
func readInRoot(root *os.Root, name string) ([]byte, error) {
	text, err := readFollowed(root, name)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(root.Name(), name), err)
	}
	return text, nil
}

func readFollowed(root *os.Root, name string) ([]byte, error) {
	path, err := followLinks(root, name)
	if err != nil {
		return nil, err
	}
	// If a link has replaced the file or a directory since, it cannot lead out of root.
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	text, err := io.ReadAll(io.LimitReader(f, maxAccountFile+1))
	if err == nil && len(text) > maxAccountFile {
		err = fmt.Errorf("larger than %d bytes", maxAccountFile)
	}
	return text, err
}

var errNotRegular = errors.New("not a regular file")

// followLinks returns the path, relative to root, of the file to which name leads for a
// process with this root: there, an absolute link and .. do not lead out of root.
// (os.Root refuses both.) The path has no links. The file is regular: to open a device
// could have an effect.
func followLinks(root *os.Root, name string) (string, error) {
	var done []string
	var last fs.FileMode
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		switch next {
		case "", ".":
			continue
		case "..":
			done = done[:max(len(done)-1, 0)]
			continue
		}
		path := strings.Join(append(done[:len(done):len(done)], next), "/")
		info, err := root.Lstat(path)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done, last = append(done, next), info.Mode()
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("too many symbolic links")
		}
		target, err := root.Readlink(path)
		if err != nil {
			return "", err
		}
		if target = filepath.ToSlash(target); strings.HasPrefix(target, "/") {
			done = nil
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	if len(done) == 0 || !last.IsRegular() {
		return "", errNotRegular
	}
	return strings.Join(done, "/"), nil
}
