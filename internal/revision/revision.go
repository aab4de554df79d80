package revision

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"caprun/platform"
	"caprun/platform/declared"
	"caprun/policy"
	"caprun/seal"
)

// A Tree is the files of a commit.
type Tree struct {
	Commit string // its full name

	git    git
	prefix string // of the directory within the repository

	reader    *exec.Cmd // git cat-file, from the first Read on
	kill      context.CancelFunc
	questions io.WriteCloser
	answers   *bufio.Reader
}

// A File is a regular file or a symbolic link of a commit.
type File struct {
	Name string // within the repository, with slashes
	Path string // relative to the directory given to Open
	Link bool   // Read returns where the link leads
	id   string
	size int64
}

// Open returns the files of the commit that rev names, as gitrevisions(7)
// describes, in the repository of a directory. Close the tree after use.
func Open(dir, rev string) (*Tree, error) {
	g, err := findGit(dir)
	if err != nil {
		return nil, err
	}
	commit, err := g.output("rev-parse", "--verify", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if strings.HasSuffix(err.Error(), "Needed a single revision") {
			err = errors.New("unknown revision")
		}
		return nil, fmt.Errorf("revision %q: %w", rev, err)
	}
	if !isObjectName(commit) {
		return nil, fmt.Errorf("revision %q: git rev-parse printed %q, which is not the name of an object", rev, commit)
	}
	prefix, err := g.output("rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	return &Tree{Commit: commit, git: g, prefix: prefix}, nil
}

// isObjectName reports whether s is a SHA-1 or SHA-256 in hexadecimal digits.
func isObjectName(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// Name returns the name within the repository of a path relative to the directory, "."
// for the top, and an error for a path that is absolute or outside of the repository.
func (t *Tree) Name(p string) (string, error) {
	if filepath.IsAbs(p) {
		return "", fmt.Errorf("%s: an absolute path; write it relative to the working directory", p)
	}
	name := path.Join(t.prefix, filepath.ToSlash(p))
	if name == ".." || strings.HasPrefix(name, "../") {
		return "", fmt.Errorf("%s: outside of the repository", p)
	}
	return name, nil
}

// Path returns the path, relative to the directory, of a name within the repository.
func (t *Tree) Path(name string) (string, error) {
	return filepath.Rel(filepath.FromSlash("/"+t.prefix), filepath.FromSlash("/"+name))
}

// Files returns the regular files and symbolic links at or below names within the
// repository, in the order of git. A name that is not in the commit has none.
func (t *Tree) Files(names []string) ([]File, error) {
	args := []string{"ls-tree", "-r", "-z", "-l", "--full-tree", t.Commit, "--"}
	if !slices.Contains(names, ".") {
		args = append(args, names...)
	}
	text, err := t.git.output(args...)
	if err != nil {
		return nil, err
	}
	var files []File
	for entry := range strings.SplitSeq(strings.TrimSuffix(text, "\x00"), "\x00") {
		if entry == "" {
			continue
		}
		f, submodule, err := t.parseEntry(entry)
		if err != nil {
			return nil, err
		}
		if !submodule {
			files = append(files, f)
		}
	}
	return files, nil
}

// parseEntry parses a file that git ls-tree prints:
//
//	MODE SP TYPE SP OBJECT SP+ SIZE TAB NAME
func (t *Tree) parseEntry(entry string) (f File, submodule bool, err error) {
	about, name, ok := strings.Cut(entry, "\t")
	fields := strings.Fields(about)
	if !ok || len(fields) != 4 || !isObjectName(fields[2]) {
		return f, false, fmt.Errorf("git ls-tree printed %q", entry)
	}
	if fields[1] != "blob" {
		return f, true, nil
	}
	size, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return f, false, fmt.Errorf("git ls-tree printed %q", entry)
	}
	p, err := t.Path(name)
	return File{Name: name, Path: p, Link: fields[0] == "120000", id: fields[2], size: size}, false, err
}

// maxLinks is how many links Follow follows, as many as the kernel: path_resolution(7).
const maxLinks = 40

// Follow returns the file that a symbolic link leads to in the commit.
func (t *Tree) Follow(f File) (File, error) {
	for range maxLinks {
		if !f.Link {
			return f, nil
		}
		target, err := t.Read(f)
		if err != nil {
			return f, err
		}
		name := path.Join(path.Dir(f.Name), string(target))
		files, err := t.Files([]string{name})
		if err != nil {
			return f, err
		}
		if path.IsAbs(string(target)) || len(files) != 1 || files[0].Name != name {
			return f, fmt.Errorf("symbolic link to %s, which is not a file of the revision", target)
		}
		f = files[0]
	}
	return f, errors.New("too many symbolic links")
}

// Read returns the bytes of a file, which must not have more than a profile, a sealed
// launcher, or a file of another platform, may have.
func (t *Tree) Read(f File) ([]byte, error) {
	const largest = max(seal.MaxSize, declared.MaxSize)
	if f.size > largest {
		return nil, errTooLarge(f, largest)
	}
	if t.reader == nil {
		if err := t.start(); err != nil {
			return nil, fmt.Errorf("git cat-file: %w", err)
		}
	}
	// Without an answer in time, the end of git ends the reading.
	timer := time.AfterFunc(timeout, t.kill)
	defer timer.Stop()
	text, err := t.ask(f)
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	if f.size > policy.MaxSize && !seal.IsELF(text) && platform.Detect(f.Name, text) == platform.Profile {
		return nil, errTooLarge(f, policy.MaxSize)
	}
	return text, nil
}

func errTooLarge(f File, limit int) error {
	return fmt.Errorf("file is %d bytes; the limit is %d", f.size, limit)
}

// ask asks git for a file.
func (t *Tree) ask(f File) ([]byte, error) {
	if _, err := io.WriteString(t.questions, f.id+"\n"); err != nil {
		return nil, err
	}
	// OBJECT SP TYPE SP SIZE LF CONTENTS LF
	header, err := t.answers.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if want := fmt.Sprintf("%s blob %d\n", f.id, f.size); header != want {
		return nil, fmt.Errorf("unexpected answer %q", strings.TrimSpace(header))
	}
	text := make([]byte, f.size+1)
	if _, err := io.ReadFull(t.answers, text); err != nil {
		return nil, err
	}
	return text[:f.size], nil
}

// start starts the git that answers ask.
func (t *Tree) start() error {
	ctx, kill := context.WithCancel(context.Background())
	cmd := t.git.command(ctx, "cat-file", "--batch")
	questions, err := cmd.StdinPipe()
	if err != nil {
		kill()
		return err
	}
	answers, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		kill()
		return err
	}
	t.reader, t.kill, t.questions, t.answers = cmd, kill, questions, bufio.NewReader(answers)
	return nil
}

// Close ends the process that reads files.
func (t *Tree) Close() error {
	if t.reader == nil {
		return nil
	}
	defer t.kill()
	t.questions.Close()
	return t.reader.Wait()
}
