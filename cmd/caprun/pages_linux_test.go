package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
	r := newPageRunner(t, parts, p)
	for n, part := range parts {
		_, other := p.isOther(part.Text)
		hidden := hiddenCommand(parts, n)
		if other || part.Kind != markdown.Indented && part.Kind != "console" && hidden == "" {
			continue
		}
		t.Run(fmt.Sprintf("line %d", part.Line), func(t *testing.T) {
			if part.Kind == markdown.Indented {
				r.script(t, part.Text)
				return
			}
			block := part.Text
			if hidden != "" {
				block = hidden // a line of the output can begin as a command does
			}
			got := strings.TrimPrefix(r.console(t, block), hidden)
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

var commandComment = regexp.MustCompile("<!-- ([#$] .*) -->\n+```text\n$")

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
