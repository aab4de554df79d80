package revision

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/policy"
)

// repository is a new repository with files, each with its own text, in one
// commit.
func repository(t *testing.T, files map[string]string) (dir string, run func(args ...string) string) {
	t.Helper()
	requires.Tool(t, "git")
	dir = t.TempDir()
	run = func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q", "-b", "main")
	for name, text := range files {
		write(t, filepath.Join(dir, name), text, 0o644)
	}
	run("add", ".")
	run("commit", "-q", "-m", "first")
	return dir, run
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// contents opens a revision and reads all its files below names.
func contents(t *testing.T, dir, rev string, names ...string) map[string]string {
	t.Helper()
	tree, err := Open(dir, rev)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for n := range names {
		if names[n], err = tree.Name(names[n]); err != nil {
			t.Fatal(err)
		}
	}
	files, err := tree.Files(names)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		text, err := tree.Read(f)
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		got[f.Path] = string(text)
	}
	return got
}

func check(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d files %q, want %d", len(got), got, len(want))
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: got %q, want %q", name, got[name], text)
		}
	}
}

func TestFiles(t *testing.T) {
	dir, run := repository(t, map[string]string{
		"web.yaml": "one", "deploy/a.yaml": "two", "deploy/sub/b.yaml": "", "deploy/*.yaml": "star", "deploy/a b\nc.yaml": "odd",
	})
	write(t, filepath.Join(dir, "web.yaml"), "changed", 0o644)
	if err := os.Symlink("web.yaml", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	run("add", ".")
	run("commit", "-q", "-m", "second")
	check(t, contents(t, dir, "main", "."), map[string]string{
		"link.yaml": "web.yaml", "web.yaml": "changed", "deploy/a.yaml": "two", "deploy/sub/b.yaml": "", "deploy/*.yaml": "star", "deploy/a b\nc.yaml": "odd",
	})
	check(t, contents(t, dir, "main~1", "web.yaml"), map[string]string{"web.yaml": "one"})
	check(t, contents(t, dir, "main", "deploy/*.yaml"), map[string]string{"deploy/*.yaml": "star"})
	check(t, contents(t, dir, "main", ":(top)web.yaml"), map[string]string{})
	check(t, contents(t, dir, "main", "nowhere"), map[string]string{})
	check(t, contents(t, filepath.Join(dir, "deploy"), "main", "sub", "../web.yaml"), map[string]string{"sub/b.yaml": "", "../web.yaml": "changed"})
	check(t, contents(t, filepath.Join(dir, "deploy"), "main", "."), map[string]string{
		"a.yaml": "two", "sub/b.yaml": "", "*.yaml": "star", "a b\nc.yaml": "odd",
	})
}

func TestFollow(t *testing.T) {
	dir, run := repository(t, map[string]string{"a/web.yaml": "one"})
	for link, target := range map[string]string{
		"b.yaml": "a/web.yaml", "a/c.yaml": "../b.yaml", "up": "../a/web.yaml", "etc": "/etc/passwd", "gone": "nowhere", "dir": "a", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	run("add", ".")
	run("commit", "-q", "-m", "links")
	tree, err := Open(dir, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for name, want := range map[string]string{"a/web.yaml": "a/web.yaml", "b.yaml": "a/web.yaml", "a/c.yaml": "a/web.yaml", "up": "", "etc": "", "gone": "", "dir": "", "loop": ""} {
		files, err := tree.Files([]string{name})
		if err != nil || len(files) != 1 {
			t.Fatal(name, files, err)
		}
		got, err := tree.Follow(files[0])
		if want == "" && err == nil || want != "" && (err != nil || got.Name != want) {
			t.Errorf("%s: got %s, %v, want %q", name, got.Name, err, want)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir, run := repository(t, map[string]string{"web.yaml": "one"})
	run("tag", "tree", "HEAD^{tree}")
	for _, c := range []struct{ dir, rev, want string }{
		{dir, "nowhere", `revision "nowhere": unknown revision`},
		{dir, "", `revision "": unknown revision`},
		{dir, "--help", `revision "--help": unknown revision`},
		{dir, "tree", `revision "tree": `},
		{dir, "HEAD:web.yaml", `revision "HEAD:web.yaml": `},
		{t.TempDir(), "HEAD", `revision "HEAD": git rev-parse: not a git repository`},
	} {
		_, err := Open(c.dir, c.rev)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.rev, err, c.want)
		}
	}
	tree, err := Open(dir, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..", "../x", "a/../../x", "/etc"} {
		if got, err := tree.Name(name); err == nil {
			t.Errorf("%s: got %s and no error", name, got)
		}
	}
}

func TestReadBound(t *testing.T) {
	dir, _ := repository(t, map[string]string{"full.yaml": strings.Repeat("#", policy.MaxSize), "over.yaml": strings.Repeat("#", policy.MaxSize+1)})
	tree, err := Open(dir, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	files, err := tree.Files([]string{"."})
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := tree.Read(f)
		switch {
		case f.Path == "full.yaml" && (err != nil || len(text) != policy.MaxSize):
			t.Errorf("%s: %d bytes, %v", f.Path, len(text), err)
		case f.Path == "over.yaml" && (err == nil || err.Error() != "file is 65537 bytes; the limit is 65536"):
			t.Errorf("%s: %d bytes, %v", f.Path, len(text), err)
		}
	}
}

// TestHostileRepository reads a repository whose configuration, hooks and
// attributes name programs for everything that git can run.
func TestHostileRepository(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	script := filepath.Join(t.TempDir(), "program")
	write(t, script, "#!/bin/sh\necho \"$0 $*\" >> "+ran+"\n", 0o755)
	dir, run := repository(t, map[string]string{"web.yaml": "one", ".gitattributes": "*.yaml diff=evil filter=evil\n"})
	for _, key := range []string{
		"core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy", "core.askPass", "core.alternateRefsCommand",
		"diff.external", "diff.evil.textconv", "diff.evil.command", "filter.evil.smudge", "filter.evil.clean", "filter.evil.process",
		"gpg.program", "credential.helper", "sequence.editor", "uploadpack.packObjectsHook", "pager.rev-parse", "pager.cat-file", "pager.ls-tree",
		"alias.rev-parse", "alias.cat-file", "alias.ls-tree", "interactive.diffFilter",
	} {
		value := script
		if strings.HasPrefix(key, "alias.") {
			value = "!" + script
		}
		run("config", key, value)
	}
	hooks := filepath.Join(dir, ".git", "hooks")
	for _, name := range []string{"post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-commit", "query-watchman"} {
		write(t, filepath.Join(hooks, name), "#!/bin/sh\necho hook >> "+ran+"\n", 0o755)
	}
	run("config", "core.hooksPath", hooks)
	os.Remove(ran) // git config itself may run some
	check(t, contents(t, dir, "HEAD", "."), map[string]string{"web.yaml": "one", ".gitattributes": "*.yaml diff=evil filter=evil\n"})
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("git ran a program of the repository: %s", text)
	}
}

// TestReplacedObjects reads the files of the commit although the repository replaces
// an object by another, or turns the warning about ambiguous names off.
func TestReplacedObjects(t *testing.T) {
	dir, run := repository(t, map[string]string{"web.yaml": "one", "other.yaml": "two"})
	run("replace", run("rev-parse", "HEAD:web.yaml"), run("rev-parse", "HEAD:other.yaml"))
	check(t, contents(t, dir, "HEAD", "."), map[string]string{"web.yaml": "one", "other.yaml": "two"})
	run("config", "core.warnAmbiguousRefs", "false")
	run("branch", "both")
	run("tag", "both")
	if _, err := Open(dir, "both"); err == nil || !strings.Contains(err.Error(), "ambiguous") {
		t.Errorf("a name of a branch and of a tag: %v", err)
	}
}

// TestPartialClone reads a repository whose objects are missing: git would fetch
// them with a program that the repository names.
func TestPartialClone(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	script := filepath.Join(t.TempDir(), "program")
	write(t, script, "#!/bin/sh\necho \"$0 $*\" >> "+ran+"\n", 0o755)
	for _, remote := range [][2]string{
		{"remote.origin.uploadpack", script},
		{"core.sshCommand", script},
		{"remote.origin.url", "ext::" + script},
		{"remote.origin.vcs", "ext"},
	} {
		dir, run := repository(t, map[string]string{"web.yaml": "one"})
		blob := run("rev-parse", "HEAD:web.yaml")
		for key, value := range map[string]string{
			"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
			"remote.origin.partialCloneFilter": "blob:none", "protocol.ext.allow": "always", "protocol.file.allow": "always", "protocol.ssh.allow": "always",
			"remote.origin.url": "ssh://localhost/nowhere",
		} {
			run("config", key, value)
		}
		if remote[0] == "remote.origin.uploadpack" {
			run("config", "remote.origin.url", dir)
		}
		run("config", remote[0], remote[1])
		if err := os.Remove(filepath.Join(dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
			t.Fatal(err)
		}
		os.Remove(ran)
		tree, err := Open(dir, "HEAD")
		if err != nil {
			t.Fatal(err)
		}
		files, err := tree.Files([]string{"."})
		for _, f := range files {
			_, err = tree.Read(f)
		}
		if err == nil {
			t.Errorf("%s: the missing file was read: %v", remote[0], files)
		}
		tree.Close()
		if text, err := os.ReadFile(ran); err == nil {
			t.Errorf("%s: git ran a program of the repository: %s", remote[0], text)
		}
	}
}

// TestEnvironment has variables of git that name another repository and programs.
func TestEnvironment(t *testing.T) {
	dir, _ := repository(t, map[string]string{"web.yaml": "one"})
	other, _ := repository(t, map[string]string{"web.yaml": "other"})
	t.Setenv("GIT_DIR", filepath.Join(other, ".git"))
	t.Setenv("GIT_WORK_TREE", other)
	t.Setenv("GIT_EXTERNAL_DIFF", "/bin/false")
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.bare")
	t.Setenv("GIT_CONFIG_VALUE_0", "true")
	check(t, contents(t, dir, "HEAD", "."), map[string]string{"web.yaml": "one"})
	if env := environ(); slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "GIT_DIR=") }) {
		t.Errorf("git gets GIT_DIR: %q", env)
	}
}

// TestBareRepository reads from a bare repository below a checkout, as a commit of
// the checkout can bring it.
func TestBareRepository(t *testing.T) {
	dir, run := repository(t, map[string]string{"web.yaml": "one"})
	run("clone", "-q", "--bare", ".", "bare")
	if tree, err := Open(filepath.Join(dir, "bare"), "HEAD"); err == nil {
		t.Errorf("the bare repository below the checkout was used: %s", tree.Commit)
	}
}
