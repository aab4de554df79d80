// Package revision reads profiles of a git revision, without running anything
// that the repository configures.
package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// safety are the options of each call of git. A repository may come from other
// users: its configuration must not choose a program to run. The commands that are
// used here run no hooks, filters or pagers; objects that are missing in a partial
// clone would be fetched, by a program that the repository names, and a bare
// repository below a checkout would be taken for the repository itself. The options
// about the pager, fsmonitor and hooks change nothing for these commands today; they are
// a defence against other versions of git.
var safety = []string{
	"--no-pager", "--no-replace-objects", "--literal-pathspecs",
	"-c", "core.warnAmbiguousRefs=true",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "protocol.allow=never",
	"-c", "safe.bareRepository=explicit",
}

// environ returns the environment of git: the caller's, without variables that
// change what git reads, writes or runs. HOME stays, because a user allows there
// the repositories of other users: safe.directory of git-config(1).
func environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GIT_") || strings.HasPrefix(v, "LC_") || strings.HasPrefix(v, "LANG")
	})
	return append(env, "LC_ALL=C", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0")
}

// A git runs git in one directory.
type git struct {
	program string // an absolute path
	dir     string
}

func findGit(dir string) (git, error) {
	program, err := exec.LookPath("git")
	if err == nil && !filepath.IsAbs(program) {
		err = fmt.Errorf("%s: a relative path in PATH", program)
	}
	if err != nil {
		return git{}, fmt.Errorf("find git: %w", err)
	}
	return git{program, dir}, nil
}

// timeout bounds each call of git: its configuration can include a FIFO, or lie on a
// file system that does not answer.
const timeout = time.Minute

// command returns a command that is killed when ctx is done.
func (g git) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.program, slices.Concat(safety, args)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = g.dir, environ(), time.Second
	return cmd
}

// maxOutput bounds what is read of the answer of one call: the names of some
// hundred thousand files.
const maxOutput = 64 << 20

// output returns what a call prints, without the line feed at its end.
func (g git) output(args ...string) (string, error) {
	var out, errs bounded
	out.limit, errs.limit = maxOutput, 4096
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := g.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	switch text, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n"); {
	case ctx.Err() != nil:
		return "", fmt.Errorf("git %s: no answer within %v", args[0], timeout)
	case out.exceeded:
		return "", fmt.Errorf("git %s: more than %d bytes of output", args[0], maxOutput)
	case err != nil && text != "":
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimPrefix(text, "fatal: "))
	case err != nil:
		return "", fmt.Errorf("git %s: %w", args[0], err)
	case text != "":
		// For example, that a revision is the name of a branch and of a tag.
		return "", fmt.Errorf("git %s: %s", args[0], text)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// bounded keeps the first bytes that are written to it.
type bounded struct {
	bytes.Buffer
	limit    int
	exceeded bool
}

var errExceeded = errors.New("too much output")

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		b.exceeded = true
		return 0, errExceeded
	}
	return b.Buffer.Write(p)
}
