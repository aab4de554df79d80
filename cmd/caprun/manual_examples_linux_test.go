package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
)

// differingStatus are the exit statuses of examples in caprun(1) that are not 0: the
// change of new.yaml grants more.
var differingStatus = map[string]int{"caprun diff -fail-on widen old.yaml new.yaml": exitFindings}

// TestManualExamples runs the example commands of the manual as they are written, in a
// directory that has the files they name. Those after # need root.
func TestManualExamples(t *testing.T) {
	bash := requires.Tool(t, "bash")
	examples := regexp.MustCompile(`(?m)^\.Dl ([#$]) (.*)$`).FindAllStringSubmatch(manPage(t, "caprun.1")+manPage(t, "caprun-profile.5"), -1)
	if len(examples) < 7 {
		t.Errorf("only %d examples were found", len(examples))
	}
	dir := exampleDirectory(t)
	git := requires.Tool(t, "git")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "commit", "-q", "-m", "one"}} {
		cmd := exec.Command(git, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	path := "PATH=" + filepath.Dir(caprun(t)) + ":" + os.Getenv("PATH")
	for _, example := range examples {
		prompt, line := example[1], example[2]
		t.Run(line, func(t *testing.T) {
			if prompt == "#" {
				requires.Root(t)
			}
			command := line
			if strings.Contains(line, "-pid 4153") {
				pid := startExample(t, dir)
				command = strings.ReplaceAll(line, "4153", fmt.Sprint(pid))
			}
			cmd := exec.Command(bash, "-c", command)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), path)
			if stdout, stderr, status := outcome(t, cmd); status != differingStatus[line] {
				t.Errorf("status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}

// exampleDirectory returns a directory with the files that the manual names: web.yaml is
// the first profile of caprun-profile(5).
func exampleDirectory(t *testing.T) string {
	t.Helper()
	_, block, _ := strings.Cut(manPage(t, "caprun-profile.5"), ".Bd -literal -offset indent\n")
	web, _, ok := strings.Cut(block, ".Ed\n")
	if !ok {
		t.Fatal("caprun-profile(5) has no profile")
	}
	dir := scriptRoot(t)
	for name, text := range map[string]string{
		"web.yaml":          web,
		"profiles/web.yaml": web,
		"old.yaml":          plainProfile,
		"new.yaml":          "version: 1\numask: \"0022\"\n",
		"server":            "#!/bin/sh\nexit 0\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startExample launches a program with web.yaml, and returns its process ID once it has
// replaced caprun.
func startExample(t *testing.T, dir string) int {
	t.Helper()
	cmd := exec.Command(caprun(t), "-profile", "web.yaml", "--", requires.Tool(t, "sleep"), "600")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for begin := time.Now(); time.Since(begin) < hangs; {
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid)); string(name) == "sleep\n" {
			return cmd.Process.Pid
		}
		select {
		case <-ended:
			t.Fatal("the program was not started")
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("the program does not start")
	return 0
}
