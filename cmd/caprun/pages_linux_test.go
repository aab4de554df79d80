package main

import (
	"bytes"
	"flag"
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

var updateReadme = flag.Bool("update-readme", false, "write what the commands in README.md and in docs print into these pages")

// TestReadme runs the commands of README.md, and of the other pages.
func TestReadme(t *testing.T) {
	for name, p := range pageTests {
		t.Run(name, func(t *testing.T) { runPage(t, filepath.Join("..", "..", name), p) })
	}
}

func runPage(t *testing.T, file string, p pageTest) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := markdown.Split(string(text))
	d := newDesk(t, parts, p)
	for n, part := range parts {
		_, other := p.isOther(part.Text)
		hidden := hiddenCommand(parts, n)
		if other || part.Kind != markdown.Indented && part.Kind != "console" && hidden == "" {
			continue
		}
		t.Run(fmt.Sprintf("line %d", part.Line), func(t *testing.T) {
			if part.Kind == markdown.Indented {
				d.script(t, part.Text)
				return
			}
			got := strings.TrimPrefix(d.console(t, hidden+part.Text), hidden)
			other := otherVersion(t, p, part.Text)
			switch {
			case got == part.Text:
			case other != "":
				t.Logf("%s prints\n%s", other, got)
			case *updateReadme:
				parts[n].Text = got
			default:
				t.Errorf("the page shows\n%s\nwant\n%s", part.Text, got)
			}
		})
	}
	if !*updateReadme {
		return
	}
	var updated strings.Builder
	for _, part := range parts {
		updated.WriteString(part.Text)
	}
	if err := os.WriteFile(file, []byte(updated.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var commandComment = regexp.MustCompile("<!-- ([#$] .*) -->\n\n```text\n$")

// otherVersion returns the version of a program of a block, if the page shows what
// another one prints.
func otherVersion(t *testing.T, p pageTest, block string) string {
	t.Helper()
	for tool, want := range p.versions {
		if !strings.Contains(block, tool+" ") {
			continue
		}
		out, err := exec.Command(requires.Tool(t, tool), "--version").Output()
		if err != nil {
			t.Fatal(err)
		}
		have, _, _ := strings.Cut(string(out), "\n")
		if !strings.Contains(have+" ", want+" ") {
			return have
		}
	}
	return ""
}

// hiddenCommand returns the command whose output a text block is: the comment before it.
func hiddenCommand(parts []markdown.Part, n int) string {
	if n == 0 || parts[n].Kind != "text" {
		return ""
	}
	if m := commandComment.FindStringSubmatch(parts[n-1].Text); m != nil {
		return m[1] + "\n"
	}
	return ""
}

// A desk is where the reader of a page works.
type desk struct {
	own   string // a directory that belongs to root, or whoever runs the tests, for console blocks
	users string // one of uid 1000, for scripts
	bin   string // what PATH begins with
	bad   string // a file in which caprun of a script logs statuses other than 0 and 1
}

// pageUser is the ordinary user of the pages.
const pageUser = 1000

func newDesk(t *testing.T, parts []markdown.Part, p pageTest) *desk {
	t.Helper()
	umask := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(umask) })
	d := &desk{bin: filepath.Dir(caprun(t))}
	top, err := os.MkdirTemp(d.bin, "page-")
	if err != nil {
		t.Fatal(err)
	}
	d.own, d.users, d.bad = filepath.Join(top, "own"), filepath.Join(top, "users"), filepath.Join(top, "users", ".bad")
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
	for _, dir := range []string{d.own, d.users} {
		makeDirectory(t, dir, 0o755)
		if err := os.Symlink(caprun(t), filepath.Join(dir, "caprun")); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			makeDirectory(t, filepath.Dir(filepath.Join(dir, name)), 0o755)
			writeFile(t, filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	wrapper := fmt.Sprintf("#!/bin/sh\n%s \"$@\"\ncase $? in 0|1) ;; *) echo \"status $?: caprun $*\" >>%s ;; esac\n", caprun(t), d.bad)
	makeDirectory(t, filepath.Join(top, "bin"), 0o755)
	writeFile(t, filepath.Join(top, "bin", "caprun"), []byte(wrapper), 0o755)
	if os.Getuid() == 0 {
		err := filepath.WalkDir(d.users, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, pageUser, pageUser)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// fileName matches the first line of a block that is a file.
var fileName = regexp.MustCompile(`^# ([\w./-]+\.(yaml|service))\n`)

// tools are the programs that pages use besides a shell and those of coreutils.
var tools = []string{"setpriv", "capsh", "gosu", "sudo", "git", "jq", "unshare", "setcap", "man", "systemd-analyze", "keyctl", "/usr/bin/ping"}

// needTools skips a block that this machine cannot run.
func (d *desk) needTools(t *testing.T, block string) {
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
			if out, err := d.command(d.own, d.bin, probe[2:], probe[0] == '#').CombinedOutput(); err != nil {
				requires.Skip(t, fmt.Sprintf("%s: %s", words, out))
			}
		}
	}
}

// command returns a shell's command line, run by root or by the ordinary user.
func (d *desk) command(dir, path, line string, root bool) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + path + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8"}
	if !root && os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pageUser, Gid: pageUser}}
	}
	return cmd
}

// readsOnly matches the commands whose output is the same for every user.
var readsOnly = regexp.MustCompile(`^\$ (\./)?caprun (check|explain|diff|rules|profiles|schema|help|version)\b`)

// console runs the commands of a block, and returns the block with their output.
func (d *desk) console(t *testing.T, block string) string {
	d.needTools(t, block)
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
		cmd := d.command(d.own, d.bin, fmt.Sprintf("(exit %d)\n%s", status, command[2:]), command[0] == '#')
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		_, _, status = outcome(t, cmd)
		b.WriteString(strings.ReplaceAll(out.String(), d.own, "/srv/web"))
		printed += out.Len()
		command = ""
	}
	if printed == 0 {
		t.Error("the commands print nothing")
	}
	return b.String()
}

// script runs an indented block.
func (d *desk) script(t *testing.T, block string) {
	d.needTools(t, block)
	cmd := d.command(d.users, filepath.Join(filepath.Dir(d.users), "bin"), "set -e\n"+block, false)
	_, stderr, status := outcome(t, cmd)
	bad, err := os.ReadFile(d.bad)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if status != 0 || len(bad) > 0 {
		t.Errorf("the script ends with status %d\n%s%s", status, bad, stderr)
	}
	if err := os.RemoveAll(d.bad); err != nil {
		t.Fatal(err)
	}
}
