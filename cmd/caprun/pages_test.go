package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caprun/internal/test/markdown"
)

// A pageTest says how the blocks of a Markdown file are tested. TestReadme tries them
// as a reader does, in a directory with the files of the page:
//
//   - A yaml or ini block whose first line is a comment with a file name is that file.
//   - A console block has commands and their output, which must be the same. A
//     line that begins with "# " is a command of root, with "$ " one of uid 1000.
//     Where it ends with a backslash, the command continues. The directory is called
//     /srv/web in the output.
//   - A text block is the output of the command in the comment before it, if there is
//     one: <!-- # command -->.
//   - An indented block is a shell script. No command of it may fail, and caprun
//     may not exit with a status other than 0 and 1.
type pageTest struct {
	// files are needed besides those of the yaml blocks.
	files map[string]string
	// versions are those of the programs of other projects whose output is shown, as
	// --version prints them. That of another version may differ.
	versions map[string]string
	// others run the blocks that TestReadme does not run. The key is how such a
	// block begins. The value is a test, a script of testdata/script, a file, or the
	// words of the page that say where it was run.
	others map[string]string
}

// pageTests are all Markdown files of the repository but the pages of the rules, which
// are run by TestPages of engine/review.
var pageTests = map[string]pageTest{
	"README.md": {others: map[string]string{
		"make build":       "TestMakeVersion",
		"CGO_ENABLED=0 go": ".ci/run",
	}},
	"CHANGELOG.md": {},
	"CONTRIBUTING.md": {others: map[string]string{
		"": "TestPatterns",
	}},
	"SECURITY.md":                          {},
	"cmd/caprun/testdata/faults.md":        {others: map[string]string{"": "TestFaults"}},
	"cmd/caprun/testdata/faults_sealed.md": {others: map[string]string{"": "TestSealedFaults"}},
	"docs/check.md":                        {files: map[string]string{"profiles/web.yaml": "profiles/web.yaml"}},
	"docs/ci.md":                           {files: map[string]string{"profiles/web.yaml": "profiles/web.yaml"}},
	"docs/README.md":                       {},
	"docs/completion.md": {
		files: map[string]string{
			"docs/man/caprun.1":         "docs/man/caprun.1",
			"docs/man/caprun-profile.5": "docs/man/caprun-profile.5",
		},
		others: map[string]string{"caprun completion bash > /usr": "TestCompletionBash"},
	},
	"docs/containers.md": {
		files: map[string]string{"web.yaml": "examples/container/web.yaml"},
	},
	"docs/dependencies.md": {},
	"docs/limits.md":       {},
	"docs/comparison.md": {versions: map[string]string{
		"setpriv": "util-linux 2.38.1", "gosu": "1.14", "systemd-analyze": "systemd 252",
	}},
	"docs/editors.md": {
		files: map[string]string{"profiles/web.yaml": "profiles/web.yaml"},
	},
	"docs/faults.md":    {others: map[string]string{"CAPRUN_TEST_FAULTS": "TestFaults"}},
	"docs/formats.md":   {},
	"docs/go.md":        {others: map[string]string{"go mod": "TestGoPage"}},
	"docs/platforms.md": {},
	"docs/profile.md":   {},
	"docs/init.md":      {},
	"docs/install.md": {others: map[string]string{
		"make dist":             ".ci/run",
		"sha256sum":             ".ci/run",
		"dpkg -i":               "internal/dist/testdeb/main_linux.go",
		"dpkg --purge":          "internal/dist/testdeb/main_linux.go",
		"tar -xzf":              ".ci/run",
		"make build":            "TestInstall",
		"make install DESTDIR=": "TestInstall",
	}},
	"docs/kernels.md": {},
	"docs/soak.md":    {},
	"docs/launch.md":  {},
	"docs/learn.md":   {},
	"docs/report.md": {others: map[string]string{
		"caprun report -base": "report_base.txtar",
	}},
	"docs/service.md": {others: map[string]string{
		"install -d -o root":      "trust_owner.txtar",
		"install -d -o www-data":  "TestServicePage",
		"apt-get install":         "TestServicePage",
		"systemctl daemon-reload": "TestServicePage",
		"caprun show -pid":        "verify.txtar",
	}},
	"docs/seal.md": {
		others: map[string]string{"LAUNCHER [--]": "TestSealedLaunches"},
	},
	"docs/services.md":        {others: map[string]string{"apt-get install": "TestServices"}},
	"docs/troubleshooting.md": {others: map[string]string{"git fetch": "diff_shallow.txtar"}},
	"docs/review.md": {
		files: map[string]string{"web.yaml": "profiles/web.yaml", "ping.yaml": "profiles/ping.yaml"},
		others: map[string]string{
			"git config":  "diff_git.txtar",
			"caprun diff": "diff_base.txtar",
		},
	},
	"engine/review/testdata/sarif/README.md": {},
	"examples/capable-web/README.md":         {others: map[string]string{"": "TestWalkThrough"}},
}

// isOther returns the beginning in others of a block that TestReadme does not run.
func (p pageTest) isOther(block string) (beginning string, ok bool) {
	for beginning := range p.others {
		if strings.HasPrefix(strings.TrimLeft(block, " "), beginning) {
			return beginning, true
		}
	}
	return "", false
}

// hasCommands reports whether a reader takes a part of a page for commands.
func hasCommands(p markdown.Part) bool {
	switch p.Kind {
	case markdown.Indented, "console", "sh", "unnamed":
		return true
	}
	return false
}

// TestPagesListed: the list has every page, and what it says of blocks that other
// tests run is true.
func TestPagesListed(t *testing.T) {
	root := filepath.Join("..", "..")
	tests := testSources(t)
	found := map[string]bool{}
	for _, name := range markdown.Pages(t, root) {
		if strings.HasPrefix(name, "docs/rules/") {
			continue
		}
		found[name] = true
		p, ok := pageTests[name]
		if !ok {
			t.Errorf("%s: no entry in pageTests", name)
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		used := map[string]bool{}
		for _, part := range markdown.Split(string(text)) {
			if part.Kind != markdown.Prose && strings.TrimSpace(part.Text) == "" {
				t.Errorf("%s:%d: an empty block", name, part.Line)
			}
			if !hasCommands(part) {
				continue
			}
			if beginning, ok := p.isOther(part.Text); ok {
				used[beginning] = true
			} else if part.Kind == "unnamed" || part.Kind == "sh" {
				t.Errorf("%s:%d: a fence says console, text, or the language of its block", name, part.Line)
			}
		}
		for beginning, other := range p.others {
			if !used[beginning] {
				t.Errorf("%s: no block begins with %q", name, beginning)
			}
			if !runsElsewhere(tests, string(text), other) {
				t.Errorf("%s: what runs %q: no test, script, file or words of the page: %q", name, beginning, other)
			}
		}
	}
	for name := range pageTests {
		if !found[name] {
			t.Errorf("missing page %s", name)
		}
	}
}

// runsElsewhere reports whether what is said to run a block is there.
func runsElsewhere(tests, text, other string) bool {
	if isTest(tests, other) {
		return true
	}
	if _, err := os.Stat(filepath.Join("..", "..", other)); err == nil && other != "" {
		return true
	}
	return strings.Contains(other, " ") && strings.Contains(strings.Join(strings.Fields(text), " "), other)
}

// TestPagesWithoutShellErrors: no output in a page is that of a command that the shell did
// not find, such as a line of output that was taken for a command.
func TestPagesWithoutShellErrors(t *testing.T) {
	root := filepath.Join("..", "..")
	mistake := regexp.MustCompile(`(?m)^/bin/sh: \d+: `)
	for _, name := range markdown.Pages(t, root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if found := mistake.Find(text); found != nil {
			t.Errorf("%s: %s", name, found)
		}
	}
}
