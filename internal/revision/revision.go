package revision

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"caprun/policy"
)

// A Tree is the files of a commit.
type Tree struct {
	Commit string // its full name

	git    git
	prefix string // of the directory within the repository

	reader *exec.Cmd // git cat-file, from the first Read on
	ask    io.WriteCloser
	answer *bufio.Reader
}

// A File is a regular file or a symbolic link of a commit.
type File struct {
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

// Files returns the regular files and symbolic links at or below the names, which are relative to the
// directory, in the order of git. A name that is not in the commit has none.
func (t *Tree) Files(names []string) ([]File, error) {
	args := []string{"ls-tree", "-r", "-z", "-l", "--full-tree", t.Commit, "--"}
	for _, name := range names {
		inside, err := t.inside(name)
		if err != nil {
			return nil, err
		}
		if inside == "." {
			args = args[:7] // the whole tree
			break
		}
		args = append(args, inside)
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
		// MODE SP TYPE SP OBJECT SP+ SIZE TAB PATH
		about, name, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(about)
		if !ok || len(fields) != 4 || !isObjectName(fields[2]) {
			return nil, fmt.Errorf("git ls-tree printed %q", entry)
		}
		mode := fields[0]
		if mode != "100644" && mode != "100755" && mode != "120000" {
			continue // a submodule
		}
		size, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: git ls-tree printed the size %q", name, fields[3])
		}
		relative, err := filepath.Rel("/"+t.prefix, "/"+name)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: relative, Link: mode == "120000", id: fields[2], size: size})
	}
	return files, nil
}

// inside returns the name of a file within the repository.
func (t *Tree) inside(name string) (string, error) {
	if filepath.IsAbs(name) {
		return "", fmt.Errorf("%s: an absolute path; write it relative to the working directory", name)
	}
	inside := path.Join(t.prefix, filepath.ToSlash(name))
	if inside == ".." || strings.HasPrefix(inside, "../") {
		return "", fmt.Errorf("%s: outside of the repository", name)
	}
	return inside, nil
}

// Read returns the bytes of a file, which must not have more than a profile may
// have.
func (t *Tree) Read(f File) ([]byte, error) {
	if f.size > policy.MaxSize {
		return nil, fmt.Errorf("file is %d bytes; the limit is %d", f.size, policy.MaxSize)
	}
	if t.reader == nil {
		if err := t.start(); err != nil {
			return nil, err
		}
	}
	if _, err := io.WriteString(t.ask, f.id+"\n"); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	// OBJECT SP TYPE SP SIZE LF CONTENTS LF
	header, err := t.answer.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	if want := fmt.Sprintf("%s blob %d\n", f.id, f.size); header != want {
		return nil, fmt.Errorf("git cat-file printed %q", strings.TrimSpace(header))
	}
	text := make([]byte, f.size+1)
	if _, err := io.ReadFull(t.answer, text); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return text[:f.size], nil
}

func (t *Tree) start() error {
	cmd := t.git.command("cat-file", "--batch")
	ask, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	answer, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	t.reader, t.ask, t.answer = cmd, ask, bufio.NewReader(answer)
	return nil
}

// Close ends the process that reads files.
func (t *Tree) Close() error {
	if t.reader == nil {
		return nil
	}
	t.ask.Close()
	return t.reader.Wait()
}
