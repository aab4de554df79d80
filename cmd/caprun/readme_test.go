package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var updateReadme = flag.Bool("update-readme", false, "write what the commands of the README and of docs/check.md print into them")

// TestReadme runs the commands of the console blocks of the README, and of the
// page of check, on the files of their yaml blocks, and compares what they print.
func TestReadme(t *testing.T) {
	for _, path := range []string{"README.md", "docs/check.md"} {
		t.Run(path, func(t *testing.T) { testPage(t, filepath.Join("..", "..", path)) })
	}
}

func testPage(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blocks := strings.Split(string(text), "```")
	ran := 0
	for n := 1; n < len(blocks); n += 2 {
		kind, body, _ := strings.Cut(blocks[n], "\n")
		switch kind {
		case "yaml":
			name, content, ok := strings.Cut(body, "\n")
			if !ok || !strings.HasPrefix(name, "# ") {
				t.Fatalf("a yaml block does not begin with its name: %s", name)
			}
			if err := os.WriteFile(filepath.Join(dir, name[2:]), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		case "console":
			command, want, _ := strings.Cut(body, "\n")
			got := runReadme(t, dir, strings.TrimPrefix(command, "$ "))
			if got != want && !*updateReadme {
				t.Errorf("%s prints\n%s\nand the page has\n%s", command, got, want)
			}
			blocks[n] = kind + "\n" + command + "\n" + got
			ran++
		}
	}
	if ran < 3 {
		t.Errorf("only %d commands were found", ran)
	}
	if *updateReadme {
		if err := os.WriteFile(path, []byte(strings.Join(blocks, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// runReadme runs a command line of the README in dir.
func runReadme(t *testing.T, dir, line string) string {
	t.Helper()
	words := strings.Fields(line)
	cmd := exec.Command(caprun(t), words[1:]...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if _, exited := err.(*exec.ExitError); !exited {
			t.Fatal(err)
		}
	}
	return out.String()
}
