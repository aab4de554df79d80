package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/markdown"
	"caprun/internal/test/requires"
)

// A pageRunner runs the blocks of one page.
type pageRunner struct {
	rootDir  string // for console blocks: a directory of root, or of whom runs the tests
	userDir  string // for scripts: a directory of uid 1000
	bin      string // caprun and other programs of this module
	wrapper  string // caprun for scripts: it logs statuses other than 0 and 1
	failures string // that log
}

// pageUser is the ordinary user of the pages.
const pageUser = 1000

// newPageRunner makes the directories of a page, with its files.
func newPageRunner(t *testing.T, parts []markdown.Part, p pageTest) *pageRunner {
	t.Helper()
	umask := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(umask) })
	bin := filepath.Dir(caprun(t))
	top, err := os.MkdirTemp(bin, "page-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	r := &pageRunner{filepath.Join(top, "root"), filepath.Join(top, "user"), bin, filepath.Join(top, "bin/caprun"), filepath.Join(top, "user/.failures")}
	files := pageFiles(t, parts, p)
	for _, dir := range []string{r.rootDir, r.userDir} {
		makeDirectory(t, dir, 0o755)
		for name, text := range files {
			makeDirectory(t, filepath.Dir(filepath.Join(dir, name)), 0o755)
			writeFile(t, filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	makeDirectory(t, filepath.Dir(r.wrapper), 0o755)
	writeFile(t, r.wrapper, fmt.Appendf(nil, "#!/bin/sh\n%s \"$@\"\ncase $? in 0|1) ;; *) echo \"status $?: caprun $*\" >>%s ;; esac\n", caprun(t), r.failures), 0o755)
	if os.Getuid() != 0 {
		return r
	}
	err = filepath.WalkDir(r.userDir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, pageUser, pageUser)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fileName matches the first line of a block that is a file.
var fileName = regexp.MustCompile(`^# ([\w./-]+\.(yaml|service))\n`)

// pageFiles returns the files of a page, by their names.
func pageFiles(t *testing.T, parts []markdown.Part, p pageTest) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, source := range p.files {
		text, err := os.ReadFile(filepath.Join("..", "..", source))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	for _, part := range parts {
		if m := fileName.FindStringSubmatch(part.Text); m != nil && (part.Kind == "yaml" || part.Kind == "ini") {
			files[m[1]] = part.Text
		}
	}
	return files
}

// tools are the programs that pages use besides a shell and those of coreutils.
var tools = []string{"setpriv", "capsh", "gosu", "sudo", "git", "jq", "unshare", "setcap", "man", "systemd-analyze", "keyctl", "/usr/bin/ping"}

// needTools skips a block that this machine cannot run.
func (r *pageRunner) needTools(t *testing.T, block string) {
	t.Helper()
	uses := func(words string) bool {
		return regexp.MustCompile(`(^|[\s'|(])` + words + `\b`).MatchString(block)
	}
	for _, tool := range tools {
		if uses(tool) {
			requires.Tool(t, tool)
		}
	}
	if uses("runas") {
		program(t, "caprun/internal/test/runas")
	}
	for words, probe := range map[string]string{
		"unshare --mount": "# unshare --mount true",
		"keyctl":          "# keyctl session - true",
		"unshare --user":  "# unshare --user --map-root-user true",
		"setcap":          "# set -e; cp /bin/cat probe; setcap cap_net_raw=ep probe; rm probe",
	} {
		if uses(words) {
			if out, err := r.command(r.rootDir, r.bin, probe[2:], probe[0] == '#').CombinedOutput(); err != nil {
				requires.Skip(t, fmt.Sprintf("%s: %s", words, out))
			}
		}
	}
}

// command returns a shell's command line, run by root or by the ordinary user, both
// without supplementary groups. Where the tests do not run as root, it has their user.
func (r *pageRunner) command(dir, path, line string, root bool) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + path + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8"}
	switch groups, _ := os.Getgroups(); {
	case os.Getuid() != 0:
	case !root:
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pageUser, Gid: pageUser}}
	case len(groups) > 0:
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{}}
	}
	return cmd
}

// readsOnly matches the commands whose output is the same for every user.
var readsOnly = regexp.MustCompile(`^\$ caprun (check|explain|diff|rules|profiles|schema|help|version)\b`)

// console runs the commands of a block, and returns the block with their output.
func (r *pageRunner) console(t *testing.T, block string) string {
	r.needTools(t, block)
	var b strings.Builder
	status, printed, command := 0, 0, ""
	for line := range strings.Lines(block) {
		if command == "" && !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "# ") {
			continue
		}
		b.WriteString(line)
		if command += line; strings.HasSuffix(line, "\\\n") {
			continue
		}
		if !readsOnly.MatchString(command) && !strings.HasPrefix(command, "$ echo $?") {
			requires.Root(t) // to be either of the two users
		}
		// The status of the last command, for echo $?.
		cmd := r.command(r.rootDir, r.bin, fmt.Sprintf("(exit %d)\n%s", status, command[2:]), command[0] == '#')
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		_, _, status = outcome(t, cmd)
		b.WriteString(strings.ReplaceAll(out.String(), r.rootDir, "/srv/web"))
		printed += out.Len()
		command = ""
	}
	if printed == 0 {
		t.Error("the commands print nothing")
	}
	return b.String()
}

// script runs an indented block.
func (r *pageRunner) script(t *testing.T, block string) {
	r.needTools(t, block)
	cmd := r.command(r.userDir, filepath.Dir(r.wrapper), "set -e\n"+block, false)
	_, stderr, status := outcome(t, cmd)
	failures, err := os.ReadFile(r.failures)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if status != 0 || len(failures) > 0 {
		t.Errorf("the script ends with status %d\n%s%s", status, failures, stderr)
	}
	if err := os.RemoveAll(r.failures); err != nil {
		t.Fatal(err)
	}
}
