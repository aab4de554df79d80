package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// makefile returns the Makefile.
func makefile(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// makeTree creates a git repository whose one commit has the Makefile and these tags. It returns
// the directory and a PATH in which go writes its arguments to the file go.
func makeTree(t *testing.T, tags ...string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	fakeGo := "#!/bin/sh\nprintf '%s\\n' \"$@\" >>" + filepath.Join(dir, "go") + "\n"
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"Makefile": string(makefile(t)), "bin/go": fakeGo} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command(requires.Tool(t, "git"), append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@localhost"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	// What these tests write is no new file of the tree.
	if err := os.WriteFile(filepath.Join(dir, ".git/info/exclude"), []byte("/go\n/bin/\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("add", "Makefile")
	git("commit", "-q", "-m", "x")
	for _, tag := range tags {
		git("tag", tag)
	}
	return dir, bin + ":" + os.Getenv("PATH")
}

// readText returns the text of a file.
func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runMake runs a target with environment variables. It returns the arguments of go, which
// are empty if nothing was built.
func runMake(t *testing.T, dir, path, target string, env ...string) (goArguments, output string, err error) {
	t.Helper()
	cmd := exec.Command(requires.Tool(t, "make"), "-C", dir, target)
	// No variables of a make that runs this test, and no version.
	cmd.Env = append([]string{"PATH=" + path, "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}, env...)
	out, err := cmd.CombinedOutput()
	built, readErr := os.ReadFile(filepath.Join(dir, "go"))
	if readErr != nil && !os.IsNotExist(readErr) {
		t.Fatal(readErr)
	}
	return string(built), string(out), err
}

// TestMakeHostileVersion builds a commit whose tag, which a fetch can bring, is shell code
// or arguments for the linker.
func TestMakeHostileVersion(t *testing.T) {
	requires.Heavy(t)
	for _, tag := range []string{
		"v1.2.3$(touch${IFS}ran)", "v1.2.3`touch${IFS}ran`", "v1.2.3\";touch${IFS}ran;\"", "v1.2.3';touch${IFS}ran;'",
		"v1.2.3|touch${IFS}ran", "v1.2.3&touch${IFS}ran", "v1.2.3,x", "v1.2.3$$x", "v1.2.3%", "v1.2.3#x", "v1.2.3é",
	} {
		for _, target := range []string{"build", "dist"} {
			dir, path := makeTree(t, tag)
			built, out, err := runMake(t, dir, path, target)
			if _, statErr := os.Lstat(filepath.Join(dir, "ran")); statErr == nil {
				t.Errorf("make %s ran the code of the tag %q", target, tag)
			}
			if err == nil || built != "" || !strings.Contains(out, "VERSION") {
				t.Errorf("make %s with the tag %q: %v\n%sgo: %s", target, tag, err, out, built)
			}
		}
	}
	for _, version := range []string{"v1 -extld=./x", "v1\t-extld=./x", "v1\n-extld=./x", " v1", "v1\t", "[]", "v1'", "v1/../x", "$(shell touch ran)", "$(NONE);touch ran"} {
		dir, path := makeTree(t)
		built, out, err := runMake(t, dir, path, "build", "VERSION="+version)
		if err == nil || built != "" {
			t.Errorf("VERSION=%q: %v\n%sgo: %s", version, err, out, built)
		}
	}
}

// TestMakeVersion builds with the version of a tag, of the caller, and without one.
func TestMakeVersion(t *testing.T) {
	for _, tag := range []string{"v1.2.3", "v1.2.3-rc.1+build_5"} {
		dir, path := makeTree(t, tag)
		built, out, err := runMake(t, dir, path, "build")
		if want := "-s -w -X caprun/internal/version.linked=" + tag[1:] + " -X caprun/internal/version.commit="; err != nil || !strings.Contains(built, want) {
			t.Errorf("the tag %q: %v\n%sgo: %s", tag, err, out, built)
		}
	}
	// A tag that is not a whole version, and no tag.
	for _, tags := range [][]string{{"v1"}, {"release"}, nil} {
		dir, path := makeTree(t, tags...)
		built, out, err := runMake(t, dir, path, "build")
		if err != nil || strings.Contains(built, "version.linked") || !regexp.MustCompile(`-s -w -X caprun/internal/version\.commit=[0-9a-f]{40}\n`).MatchString(built) {
			t.Errorf("the tags %q: %v\n%sgo: %s", tags, err, out, built)
		}
	}
	dir, path := makeTree(t)
	built, out, err := runMake(t, dir, path, "build", "VERSION=1.0~x")
	if err == nil || built != "" {
		t.Errorf("a tilde: %v\n%s%s", err, out, built)
	}
	built, out, err = runMake(t, dir, path, "build", "VERSION=9.9")
	if err != nil || !strings.Contains(built, "version.linked=9.9 -X") {
		t.Errorf("VERSION=9.9: %v\n%s%s", err, out, built)
	}
	if err := os.Remove(filepath.Join(dir, "go")); err != nil {
		t.Fatal(err)
	}
	if built, out, err = runMake(t, dir, path, "build", "COMMIT=x;y"); err == nil || built != "" {
		t.Errorf("COMMIT=x;y: %v\n%s%s", err, out, built)
	}
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), append(makefile(t), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if built, out, err = runMake(t, dir, path, "build"); err != nil || !strings.Contains(built, "-modified\n") {
		t.Errorf("a modified file: %v\n%s%s", err, out, built)
	}
	if err := os.Remove(filepath.Join(dir, "go")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
		t.Fatal(err)
	}
	built, out, err = runMake(t, dir, path, "build", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if err != nil || !strings.Contains(built, "-s -w\n") {
		t.Errorf("without a repository: %v\n%s%s", err, out, built)
	}
	// The tree of an archive in another repository, whose commit and tag it does not have.
	outer, path := makeTree(t, "v1.2.3")
	dir = filepath.Join(outer, "below")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(outer, "Makefile"), filepath.Join(dir, "Makefile")); err != nil {
		t.Fatal(err)
	}
	_, out, err = runMake(t, dir, path, "build")
	if built := readText(t, filepath.Join(outer, "go")); err != nil || !strings.Contains(built, "-s -w\n") {
		t.Errorf("below another repository: %v\n%s%s", err, out, built)
	}
	// A new file can change the program, too.
	dir, path = makeTree(t)
	if err := os.WriteFile(filepath.Join(dir, "new.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if built, out, err = runMake(t, dir, path, "build"); err != nil || !strings.Contains(built, "-modified\n") {
		t.Errorf("a new file: %v\n%s%s", err, out, built)
	}
	for _, target := range []string{"help", "clean"} {
		dir, path := makeTree(t, "v1$(touch${IFS}ran)")
		if _, out, err := runMake(t, dir, path, target); err != nil {
			t.Errorf("make %s, which needs no version: %v\n%s", target, err, out)
		}
	}
}

// TestMakeInstallProgram: install runs the program that it copies, not another one of PATH,
// and rejects a path that make would split.
func TestMakeInstallProgram(t *testing.T) {
	dir, path := makeTree(t)
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "docs/man/caprun.1", "docs/man/caprun-profile.5", "examples/x", "caprun"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho this\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/caprun"), []byte("#!/bin/sh\necho another\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	_, out, err := runMake(t, dir, path, "install", "CAPRUN=caprun", "DESTDIR="+root)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if script := readText(t, filepath.Join(root, "usr/local/share/zsh/site-functions/_caprun")); script != "this\n" {
		t.Errorf("the completion script is %q", script)
	}
	built, out, err := runMake(t, dir, path, "install", "CAPRUN=/nowhere/with space/caprun", "DESTDIR="+root)
	if err == nil || built != "" || !strings.Contains(out, "CAPRUN") {
		t.Errorf("a space: %v\n%s%s", err, out, built)
	}
}
