package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"caprun/internal/render"
	"caprun/internal/test/requires"
)

// Attacks by untrusted files on the users who review them. TestActionExecutesNoInput has
// more attacks on the action.

// findCommand returns what a terminal or a CI runner could execute in a text, or "".
func findCommand(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "::"):
			return fmt.Sprintf("the command %q", line)
		case strings.Contains(line, "##["):
			return fmt.Sprintf("the command in %q", line)
		}
		for _, r := range line {
			if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Cf, unicode.Zl, unicode.Zp) {
				return fmt.Sprintf("the character %U in %q", r, line)
			}
		}
	}
	return ""
}

// TestHostileNames gives every reviewing command names of files, arguments and values
// that a terminal or a CI runner would execute.
func TestHostileNames(t *testing.T) {
	const text = "version: 1\nuid: 33\ngid: 33\nchroot: \"/a ::error::b ##[c] \\u200bd\"\ncommand: [/bin/x, \"a\\n::error::b\"]\nenv: {set: {A: \"x\\n::error::y##[z]\"}}\n"
	dir := t.TempDir()
	t.Chdir(dir)
	names := []string{"a\n::error::b.yaml", "::error::b.yaml", "a##[error]b.yaml", "\x1b[2Ja.yaml", "a\u202eb\u200b.yaml", "\xff\x9b2J.yaml", "-a\r##[x].yaml"}
	for n, name := range names {
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Symlink("nowhere", fmt.Sprintf("%d", n)+name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("other.yaml", []byte("version: 1\nuid: 34\ngid: 34\ncaps: \"=\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for _, format := range []string{"human", "oneline", "json", "sarif", "github"} {
		commands = append(commands, []string{"check", "-format", format, "."})
	}
	for _, name := range names {
		path := "./" + name
		commands = append(commands,
			[]string{"check", path + "x"}, []string{"check", "-ceiling", path + "x", "."}, []string{"check", "-format", name, "."},
			[]string{"check", "-stdin-name", name, "-"}, []string{"check", "-fail-on", name, "."}, []string{"check", name},
			[]string{"rules", name}, []string{"rules", "-format", name}, []string{name}, []string{"-profile", path + "x"}, []string{"-profile", name},
			[]string{"diff", path, "other.yaml"}, []string{"diff", "-format", "json", path, "other.yaml"},
			[]string{"explain", path}, []string{"explain", "-format", "json", path}, []string{"explain", "-target", path + "x", path},
			[]string{"verify", "-pid", "1", path}, []string{"verify", "-format", "json", "-pid", "1", path}, []string{"verify", "-pid", name, path}, []string{"profiles", name},
		)
	}
	for _, args := range commands {
		var out, messages bytes.Buffer
		c := &Command{Env: render.Env{Stdin: emptyFile(t), Stdout: &out, Stderr: &messages}}
		c.Main(args)
		format := strings.Join(args, " ")
		if fault := findCommand(messages.String()); fault != "" {
			t.Errorf("%q: a message has %s", args, fault)
		}
		if fault := findCommand(out.String()); fault != "" && !strings.Contains(format, "-format github") {
			t.Errorf("%q: the output has %s", args, fault)
		}
	}
}

func emptyFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestCheckLinks: check does not print a file to which a link of another user leads,
// unless it is a profile in the same directory.
func TestCheckLinks(t *testing.T) {
	top := t.TempDir()
	dir, secret := filepath.Join(top, "d"), filepath.Join(top, "secret.yaml")
	const token = "hunter2"
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, ".git"), 0o755), os.Mkdir(filepath.Join(dir, "..data"), 0o755),
		os.WriteFile(secret, []byte("token: "+token+"\n"), 0o600), os.WriteFile(filepath.Join(dir, ".git", "config"), []byte("token: "+token+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "..data", "web.yaml"), []byte("version: 1\nno_new_privis: true\n"), 0o600),
		os.Symlink("..data/web.yaml", filepath.Join(dir, "web.yaml")),
		os.Symlink("/proc/self/environ", filepath.Join(dir, "environ.yaml")), os.Symlink("/dev/zero", filepath.Join(dir, "zero.yaml")),
		os.Symlink(secret, filepath.Join(dir, "secret.yaml")), os.Symlink("../secret.yaml", filepath.Join(dir, "up.yaml")),
		os.Symlink("up.yaml", filepath.Join(dir, "twice.yaml")), os.Symlink(".git/config", filepath.Join(dir, "config.yaml")),
		os.Symlink("/proc/self/fd/0", filepath.Join(dir, "fd.yaml")), os.Symlink("/proc/self/root"+secret, filepath.Join(dir, "root.yaml")),
		os.Symlink("loop.yaml", filepath.Join(dir, "loop.yaml")), os.Symlink("..", filepath.Join(dir, "top")),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", token)
	for _, arg := range []string{dir, dir + "/"} {
		cmd := exec.Command(caprun(t), "check", arg)
		stdin, err := os.Open(secret)
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		cmd.Stdin = stdin
		out, errs, status := outcome(t, cmd)
		if status != exitError || strings.Contains(out+errs, token) || strings.Count(out, "unknown-key") != 1 {
			t.Errorf("status %d\n%s%s", status, out, errs)
		}
		for _, name := range []string{"environ", "secret", "up", "twice", "config", "root"} {
			if !strings.Contains(errs, name+".yaml: symbolic link does not lead to a profile below the same directory") {
				t.Errorf("no message about %s: %s", name, errs)
			}
		}
	}
	if _, _, status := outcome(t, exec.Command(caprun(t), "check", filepath.Join(dir, "secret.yaml"))); status != exitFindings {
		t.Errorf("as an argument: status %d", status)
	}
}

// TestCheckDeprived runs check without standard streams, descriptors or memory. The
// status is never that of a clean run.
func TestCheckDeprived(t *testing.T) {
	dir := checkedProfiles(t, 60)
	bash := requires.Tool(t, "bash")
	for name, script := range map[string]string{
		"no input":          `"$1" check "$2" <&-`,
		"no output":         `"$1" check "$2" >&-`,
		"no error":          `"$1" check "$2" 2>&-`,
		"nothing":           `"$1" check "$2" <&- >&- 2>&-`,
		"a full output":     `"$1" check "$2" >/dev/full`,
		"a full error":      `"$1" check "$2" 2>/dev/full`,
		"a full json":       `"$1" check -format json "$2" >/dev/full`,
		"a full sarif":      `"$1" check -format sarif "$2" >/dev/full`,
		"few descriptors":   `ulimit -n 10; "$1" check "$2"`,
		"no descriptors":    `ulimit -n 3; "$1" check "$2"`,
		"one processor":     `GOMAXPROCS=1 "$1" check "$2"`,
		"little memory":     `ulimit -v 1500000; "$1" check "$2"`,
		"no file size":      `ulimit -f 0; "$1" check "$2" >out`,
		"a small stack":     `ulimit -s 64; "$1" check "$2"`,
		"odd variables":     `GOGC=off GODEBUG=x=y TERM=$'\e' NO_COLOR= "$1" check "$2"`,
		"a hidden terminal": `TERM= "$1" check "$2" </dev/null`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), hangs)
		defer cancel()
		cmd := exec.CommandContext(ctx, bash, "-c", script, "bash", caprun(t), dir)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status <= exitOK || ctx.Err() != nil || bytes.Contains(out, []byte("panic")) || bytes.Contains(out, []byte("goroutine ")) {
			t.Errorf("%s: %v, %.2000s", name, err, out)
		}
	}
}

// TestActionIgnoresGoWork: a go.work in the checkout around the action does not change
// what is built.
func TestActionIgnoresGoWork(t *testing.T) {
	run, _ := readAction(t).script(t)
	line := ""
	for text := range strings.Lines(run) {
		if strings.Contains(text, " build ") {
			line = text
		}
	}
	goTool := requires.Tool(t, "go")
	top := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	// The action in an untrusted checkout, which replaces an import.
	write("action/go.mod", "module caprun\n\ngo 1.24\n\nrequire example.org/dep v0.0.0\n\nreplace example.org/dep => ./dep\n")
	write("action/dep/go.mod", "module example.org/dep\n\ngo 1.24\n")
	write("action/dep/dep.go", "package dep\n\nconst Text = \"its own\"\n")
	write("action/cmd/caprun/main.go", "package main\n\nimport \"example.org/dep\"\n\nfunc main() { print(dep.Text) }\n")
	write("go.work", "go 1.24\n\nuse (\n\t./action\n\t./evil\n)\n")
	write("evil/go.mod", "module example.org/dep\n\ngo 1.24\n")
	write("evil/dep.go", "package dep\n\nconst Text = \"evil\"\n")
	write("overlay.json", `{"Replace": {"`+filepath.Join(top, "action/dep/dep.go")+`": "`+filepath.Join(top, "evil/dep.go")+`"}}`)
	program := filepath.Join(top, "caprun")
	for _, flags := range []string{"", "-overlay=" + filepath.Join(top, "overlay.json")} {
		cmd := exec.Command(requires.Tool(t, "bash"), "-euc", line)
		cmd.Dir = top
		cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+filepath.Join(top, "action"), "caprun="+program, "PATH="+filepath.Dir(goTool)+":"+os.Getenv("PATH"), "GOFLAGS="+flags)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if out, err := exec.Command(program).CombinedOutput(); err != nil || string(out) != "its own" {
			t.Errorf("with GOFLAGS=%s: %v, %s", flags, err, out)
		}
	}
}

// TestActionFollowsNoLink: the action neither reads nor writes through a link in an
// untrusted checkout.
func TestActionFollowsNoLink(t *testing.T) {
	outside := t.TempDir()
	const token = "hunter2"
	if err := os.WriteFile(filepath.Join(outside, "hosts.yml"), []byte("token: "+token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ link, to, input, value string }{
		"a directory":       {"profiles", outside, "paths", "profiles"},
		"a slash":           {"profiles", outside, "paths", "profiles/"},
		"above":             {"a", filepath.Dir(outside), "paths", "a/" + filepath.Base(outside)},
		"a file":            {"web.yaml", filepath.Join(outside, "hosts.yml"), "paths", "good.yaml\nweb.yaml"},
		"the ceiling":       {"top.yaml", filepath.Join(outside, "hosts.yml"), "ceiling", "top.yaml"},
		"the output":        {"out", filepath.Join(outside, "new"), "output", "out"},
		"output, directory": {"out", outside, "output", "./out/new"},
	} {
		dir := t.TempDir()
		err := errors.Join(os.WriteFile(filepath.Join(dir, "good.yaml"), []byte("version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\n"), 0o600),
			os.Symlink(c.to, filepath.Join(dir, c.link)))
		if err != nil {
			t.Fatal(err)
		}
		inputs := map[string]string{"caprun": caprun(t), "format": "human", "paths": "good.yaml"}
		inputs[c.input] = c.value
		stdout, stderr, output, status := runAction(t, dir, inputs)
		if status != exitError || output != "status=2\n" || !strings.Contains(stderr, "is a symbolic link") || strings.Contains(stdout+stderr, token) {
			t.Errorf("%s: status %d, output %q\n%s%s", name, status, output, stdout, stderr)
		}
		if _, err := os.Stat(filepath.Join(outside, "new")); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s: written through the link: %v", name, err)
		}
		inputs[c.input] = filepath.Join(dir, c.value)
		if _, stderr, _, status := runAction(t, dir, inputs); c.input != "paths" && (status != exitError || !strings.Contains(stderr, "is a symbolic link")) {
			t.Errorf("%s, absolute: status %d, %s", name, status, stderr)
		}
	}
}
