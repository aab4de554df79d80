package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/internal/test/terminal"
)

// These tests run each script in its shell, on a line that the test types.

// offered are command lines, and what must be offered for the last word, after its last =
// or :, because some shells replace only that part.
var offered = []struct {
	line string
	want []string // all offers; some of them if the last is "…"
}{
	{"caprun ", []string{"check", "explain", "diff", "report", "verify", "show", "seal", "learn", "import", "export", "schema", "profiles", "completion", "rules", "odd", "version", "help"}},
	{"caprun expl", []string{"explain"}},
	{"caprun nosuch", nil},
	{"caprun -", []string{"-profile", "-init", "-init-group", "-dry-run"}},
	{"caprun --d", []string{"-dry-run"}},
	{"caprun check -", []string{"-format", "-fail-on", "-ceiling", "-host", "-exclude", "-stdin-name"}},
	{"caprun check -format ", []string{"human", "oneline", "json", "sarif", "github"}},
	{"caprun check -format=", []string{"human", "oneline", "json", "sarif", "github"}},
	{"caprun check --format ", []string{"human", "oneline", "json", "sarif", "github"}},
	{"caprun check --format=o", []string{"oneline"}},
	{"caprun check -format x", nil},
	{"caprun check -format=human -fail-on w", []string{"warning"}},
	{"caprun check -format human -fail-on=w", []string{"warning"}},
	{"caprun diff -format m", []string{"markdown"}},
	{"caprun check ", []string{"a.yaml", "b.yml", "it's.yaml", "$(touch evil).yaml", "my dir/", "web", "…"}},
	{"caprun check a.yaml b", []string{"b.yml", "web", "nopriv", "…"}},
	{"caprun check builtin:w", []string{"web"}},
	{"caprun diff builtin:web builtin:n", []string{"nopriv"}},
	{"caprun -profile ", []string{"a.yaml", "b.yml", "it's.yaml", "$(touch evil).yaml", "my dir/", "web", "installed", "…"}},
	{"caprun -init -profile inst", []string{"installed"}},
	{"caprun -profile=builtin:w", []string{"web"}},
	{"caprun --profile=builtin:w", []string{"web"}},
	{"caprun -profile a.yaml caprun-targ", []string{"caprun-target"}},
	{"caprun -profile a.yaml -- caprun-targ", []string{"caprun-target"}},
	{"caprun -profile=a.yaml -init -- caprun-targ", []string{"caprun-target"}},
	{"caprun -profile a.yaml -dry-r", []string{"-dry-run"}},
	{"caprun verify -as cur", []string{"current"}},
	{"caprun explain -kernel 6.1", []string{"6.1", "6.12", "6.18"}},
	{"caprun verify -exact -pid PID", []string{"PID"}},
	{"caprun show -pid=PID", []string{"PID"}},
	{"caprun completion ", []string{"bash", "zsh", "fish"}},
	{"caprun profiles we", []string{"web"}},
	{"caprun rules bad-", []string{"bad-caps", "…"}},
	{"caprun odd bad-", []string{"bad-caps", "…"}},
	{"caprun odd -format=j", []string{"json"}},
	{"caprun rules -format=j", []string{"json"}},
	{"caprun help ex", []string{"explain", "export"}},
	{"caprun version -f", []string{"-format"}},
	// No flags after an operand.
	{"caprun check a.yaml -form", nil},
	{"caprun check -- -form", nil},
	{"caprun -profile a.yaml caprun-target -dry", nil},
	// Typed text is never evaluated.
	{`caprun check $(touch evil)`, nil},
	{"caprun check `touch evil`", nil},
	{`caprun check "$(touch evil)`, nil},
	{`caprun -profile '$(touch evil)' -format=$(touch evil) nosuch`, nil},
}

// completed are command lines before and after completion.
var completed = [][]string{
	{"caprun expl", "caprun explain "},
	{"caprun check -format=o", "caprun check -format=oneline "},
	{"caprun check builtin:we", "caprun check builtin:web "},
	{"caprun check bui", "caprun check builtin:"},
	{"caprun -profile=builtin:we", "caprun -profile=builtin:web "},
	{"caprun check it", `caprun check it\'s.yaml `},
	{`caprun check "it`, `caprun check "it's.yaml" `},
	{"caprun check m", `caprun check my\ dir/`},
	{`caprun check my\ dir/p`, `caprun check my\ dir/p\ q.yaml `},
	{`caprun check 'my dir/p`, `caprun check 'my dir/p q.yaml' `},
	{`caprun -profile=my\ dir/p`, `caprun -profile=my\ dir/p\ q.yaml `},
	{`caprun check \$`, `caprun check \$\(touch\ evil\).yaml `},
	{"caprun check \\`\\$", "caprun check \\`\\$\\(touch\\ evil\\)/"},
	{"caprun check \\`\\$\\(touch\\ evil\\)/", "caprun check \\`\\$\\(touch\\ evil\\)/r.yaml "},
	{"caprun check ~/my", `caprun check ~/my\ dir/`},
	{"caprun explain -target c.", "caprun explain -target c.txt "},
	{"caprun -profile a.yaml -- caprun-target c.", "caprun -profile a.yaml -- caprun-target c.txt "},
	{"caprun -profile a.yaml ./caprun-t", "caprun -profile a.yaml ./caprun-target "},
}

// completionDir creates a directory with files to complete, and the script of a shell.
// The script has the real forms and one more, and a directory of the test instead of
// /etc/caprun.
func completionDir(t *testing.T, shell string) (dir, script string) {
	t.Helper()
	// Some shells print the directory without links.
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := newOffers()
	o.forms = append(o.forms, &form{name: "odd", about: "say what [it]: is's for", flags: []*formFlag{
		{name: "format", about: "what [it]: is's for", value: value{takes: aChoice, words: []string{"human", "json"}}},
		{name: "name", about: "free text", value: value{takes: aText}},
	}, operands: []operand{{takes: aRule, about: "rule's [name]"}}})
	text := completionScript(shell, o)
	if strings.Contains(text, "@flags@") || strings.Contains(text, "@builtins@") {
		t.Error("a place of the script was not replaced")
	}
	text = strings.ReplaceAll(text, "/etc/caprun/", dir+"/etc/")
	script = filepath.Join(dir, "script")
	files := map[string]string{
		"script": text, "etc/installed.yaml": "", "caprun-target": "#!/bin/sh\n",
		"a.yaml": "", "b.yml": "", "c.txt": "", "it's.yaml": "", "$(touch evil).yaml": "", "my dir/p q.yaml": "", "`$(touch evil)/r.yaml": "", ".hidden.yaml": "",
	}
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(dir, "evil")); err == nil {
			t.Error("the shell evaluated typed text")
		}
	})
	return dir, script
}

// shellEnv is the environment of the shells, in which they read no startup files.
func shellEnv(dir string) []string {
	return []string{"PATH=" + dir + ":/usr/bin:/bin", "HOME=" + dir, "ZDOTDIR=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_DATA_HOME=" + dir, "TERM=dumb", "LC_ALL=C.UTF-8", "PS1=% "}
}

// compareOffered compares the offers of a shell with the table.
func compareOffered(t *testing.T, complete func(line string) []string) {
	t.Helper()
	pid := fmt.Sprint(os.Getpid())
	for _, o := range offered {
		var got []string
		for _, word := range complete(strings.ReplaceAll(o.line, "PID", pid)) {
			word = word[strings.LastIndexAny(word, "=:")+1:]
			if strings.HasPrefix(word, "--") {
				word = word[1:]
			}
			if word != "" {
				got = append(got, strings.ReplaceAll(word, pid, "PID"))
			}
		}
		slices.Sort(got)
		got = slices.Compact(got)
		want := slices.Sorted(slices.Values(o.want))
		if n := len(o.want); n > 0 && o.want[n-1] == "…" {
			for _, word := range o.want[:n-1] {
				if !slices.Contains(got, word) && !slices.Contains(got, strings.TrimSuffix(word, "/")) {
					t.Errorf("%s: does not offer %q, only %q", o.line, word, got)
				}
			}
			if slices.Contains(got, "c.txt") || slices.Contains(got, ".hidden.yaml") {
				t.Errorf("%s: offers %q", o.line, got)
			}
		} else if !slices.Equal(got, want) {
			t.Errorf("%s: offers %q, want %q", o.line, got, want)
		}
	}
}

// typist is a shell on a terminal in which a test types.
type typist struct {
	*terminal.Terminal
	dir string
}

// newTypist starts a shell on a terminal, which first reads start. That binds ^G to a
// command that writes the files .line and .offered, and then creates .done.
func newTypist(t *testing.T, dir, start string, argv ...string) *typist {
	t.Helper()
	screen, slave := terminal.New(t)
	cmd := exec.Command(requires.Tool(t, argv[0]), argv[1:]...)
	cmd.Dir, cmd.Env = dir, shellEnv(dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := os.WriteFile(filepath.Join(dir, ".start"), []byte(start), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // the status is that of the signal
	})
	s := &typist{screen, dir}
	screen.Types(t, ". ./.start\n")
	s.done(t)
	return s
}

// done waits until the shell has created .done, and removes it.
func (s *typist) done(t *testing.T) {
	t.Helper()
	file := filepath.Join(s.dir, ".done")
	for deadline := time.Now().Add(hangs); ; time.Sleep(time.Millisecond) {
		if os.Remove(file) == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the shell does not answer; its screen shows %q", s.Text())
		}
	}
}

// complete types a line and the completion key. It returns the offers and the completed
// line.
func (s *typist) complete(t *testing.T, line string) (words []string, after string) {
	t.Helper()
	for _, name := range []string{".line", ".offered"} {
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.Types(t, line+"\t\a")
	s.done(t)
	text, err := os.ReadFile(filepath.Join(s.dir, ".line"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(s.dir, ".offered"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if len(list) > 0 {
		words = strings.Split(strings.TrimSuffix(string(list), "\n"), "\n")
	}
	return words, string(text)
}

func (s *typist) compare(t *testing.T) {
	t.Helper()
	compareOffered(t, func(line string) []string {
		words, _ := s.complete(t, line)
		return words
	})
	for _, c := range completed {
		if _, got := s.complete(t, c[0]); got != c[1] {
			t.Errorf("%s becomes %q, not %q", c[0], got, c[1])
		}
	}
}

// TestCompletionBash completes in bash, without the package bash-completion.
func TestCompletionBash(t *testing.T) {
	requires.Heavy(t)
	dir, script := completionDir(t, "bash")
	start := `
. ./script
set -u
bind 'set bell-style none'
probe() { _caprun "$@"; if ((${#COMPREPLY[@]})); then printf '%s\n' "${COMPREPLY[@]}" >.offered; fi; }
caprun-target-function() { :; }
complete -F probe caprun
tell() { printf %s "$READLINE_LINE" >.line; READLINE_LINE=; >.done; }
bind -x '"\C-g": tell'
>.done
`
	// -profile does not find this file by name, so it is not offered.
	if err := os.WriteFile(filepath.Join(dir, "etc", "z$(touch evil);x.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newTypist(t, dir, start, "bash", "--norc", "--noprofile", "-i")
	s.compare(t)
	if _, got := s.complete(t, "caprun -profile z"); got != "caprun -profile z" {
		t.Errorf("a name that the shell would expand becomes %q", got)
	}

	// In single quotes, nothing is expanded.
	if _, got := s.complete(t, "caprun check '`$(touch evil)/"); got != "caprun check '`$(touch evil)/r.yaml' " {
		t.Errorf("in quotes: becomes %q", got)
	}

	// The result is the same without : and = in COMP_WORDBREAKS.
	s = newTypist(t, dir, start+"COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]/}\n", "bash", "--norc", "--noprofile", "-i")
	for _, c := range completed[:5] {
		if _, got := s.complete(t, c[0]); got != c[1] {
			t.Errorf("without : and =: %s becomes %q, not %q", c[0], got, c[1])
		}
	}
	t.Run("shellcheck", func(t *testing.T) {
		if out, err := exec.Command(requires.Tool(t, "shellcheck"), "-s", "bash", script).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestCompletionZsh completes in zsh, with its own files of completions.
func TestCompletionZsh(t *testing.T) {
	requires.Heavy(t)
	dir, script := completionDir(t, "zsh")
	start := `
unsetopt list_beep auto_list auto_menu prompt_sp
autoload -Uz compinit
compinit -u -D
# The default binding expands typed text, for every command.
bindkey '^I' complete-word
. ./script
caprun-target-function() { :; }
compadd() {
  local -a hits
  if [[ ${@[1,(i)(-|--)]} != *-[OAD]\ * ]]; then
    builtin compadd -O hits "$@"
    print -rl -- ${(Q)hits} >>.offered
  fi
  builtin compadd "$@"
}
tell() { print -rn -- "$BUFFER" >.line; BUFFER=; : >.done; }
zle -N tell
bindkey '^G' tell
: >.done
`
	s := newTypist(t, dir, start, "zsh", "-f", "-i")
	s.compare(t)
	// zsh does not tell the function that the word is quoted, and its own functions would
	// evaluate it.
	const quoted = "caprun check '`$(touch evil)/"
	if _, got := s.complete(t, quoted); got != quoted {
		t.Errorf("%s becomes %q", quoted, got)
	}

	// The script as a function on fpath.
	functions := filepath.Join(dir, ".functions")
	if err := os.Mkdir(functions, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(script, filepath.Join(functions, "_caprun")); err != nil {
		t.Fatal(err)
	}
	s = newTypist(t, dir, "fpath=($PWD/.functions $fpath)\n"+strings.Replace(start, ". ./script\n", "", 1), "zsh", "-f", "-i")
	for _, c := range completed[:5] {
		if _, got := s.complete(t, c[0]); got != c[1] {
			t.Errorf("from a directory: %s becomes %q, not %q", c[0], got, c[1])
		}
	}
}

// TestCompletionFish completes in fish, which prints its offers itself.
func TestCompletionFish(t *testing.T) {
	requires.Heavy(t)
	fish := requires.Tool(t, "fish")
	dir, script := completionDir(t, "fish")
	complete := func(lines ...string) [][]string {
		t.Helper()
		cmd := exec.Command(fish, append([]string{"-N", "-c", `
source $argv[1]
function caprun-target-function
end
for line in $argv[2..-1]
    echo "line"
    complete -C $line
end`, script}, lines...)...)
		cmd.Dir, cmd.Env = dir, shellEnv(dir)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil || stderr.Len() > 0 {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		var all [][]string
		for text := range strings.Lines(stdout.String()) {
			word, _, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\t")
			if word == "line" {
				all = append(all, nil)
			} else {
				all[len(all)-1] = append(all[len(all)-1], word)
			}
		}
		return all
	}
	compareOffered(t, func(line string) []string { return complete(line)[0] })
	for line, want := range map[string]string{
		"caprun check -format=o":                        "-format=oneline",
		"caprun check builtin:we":                       "builtin:web",
		`caprun check my\ dir/p`:                        "my dir/p q.yaml",
		`caprun check 'my dir/p`:                        "my dir/p q.yaml",
		`caprun -profile=my\ dir/p`:                     "-profile=my dir/p q.yaml",
		`caprun check \$`:                               "$(touch evil).yaml",
		"caprun check ~/my":                             "~/my dir/",
		"caprun explain -target c.":                     "c.txt",
		"caprun -profile a.yaml -- caprun-target -x c.": "c.txt",
	} {
		if got := complete(line)[0]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: offers %q, want %q", line, got, want)
		}
	}
}
