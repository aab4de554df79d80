package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/markdown"
	"caprun/internal/test/requires"
	source "caprun/internal/version"
)

var someTime = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

// TestRelease: only the version of the source is built.
func TestRelease(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	for _, version := range []string{"", source.Number} {
		r, err := newRelease(version, "")
		if err != nil || r.version != source.Number || r.time.Format(time.DateOnly) != source.Date {
			t.Errorf("%q: %+v, %v", version, r, err)
		}
	}
	for _, version := range []string{"9.9.9", "v" + source.Number, source.Number + "-rc.1"} {
		if _, err := newRelease(version, ""); err == nil || !strings.Contains(err.Error(), "change Number there, or the tag") {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestReleaseTime: SOURCE_DATE_EPOCH has priority, and a time that an archive cannot have
// is refused.
func TestReleaseTime(t *testing.T) {
	if got, err := releaseTime("none", "1767323046"); err != nil || !got.Equal(someTime) {
		t.Errorf("%v, %v", got, err)
	}
	for _, epoch := range []string{"x", "-1", "0", "315532799", "8589934592", "1767323046.5"} {
		if got, err := releaseTime("", epoch); err == nil {
			t.Errorf("%q: %v", epoch, got)
		}
	}
	if got, err := releaseTime("--output=x", ""); err == nil {
		t.Errorf("a commit that is a flag: %v", got)
	}
}

// TestReleaseWithoutGit: in a repository that git does not read, such as that of another
// user, the commit and its date are missing, and the files would differ from those of others.
func TestReleaseWithoutGit(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "1767323046")
	if _, err := newRelease("", ""); err != nil {
		t.Error(err)
	}
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := newRelease("", ""); err == nil || !strings.Contains(err.Error(), "safe.directory") {
		t.Errorf("an unknown commit of a repository: %v", err)
	}
	if _, err := newRelease("", "abc"); err != nil {
		t.Error(err)
	}
}

// TestReleaseTimeSigned: with log.showSignature, git prints text about the signature of a
// commit before its date.
func TestReleaseTimeSigned(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "log.showSignature")
	t.Setenv("GIT_CONFIG_VALUE_0", "true")
	git := func(input string, args ...string) string {
		t.Helper()
		cmd := exec.Command(requires.Tool(t, "git"), args...)
		cmd.Stdin = strings.NewReader(input)
		out, err := runCommand(cmd)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	git("", "init", "--quiet")
	commit := "tree " + git("", "mktree") + "\nauthor x <x> 1767323046 +0000\ncommitter x <x> 1767323046 +0000\n" +
		"gpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n\nx\n"
	if got, err := releaseTime(git(commit, "hash-object", "-t", "commit", "-w", "--stdin"), ""); err != nil || !got.Equal(someTime) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestArchive reads what tarGz and zip write: one directory, sorted names, the modes, the
// time, and no owner.
func TestArchive(t *testing.T) {
	r := release{version: "1.2.3", time: someTime}
	files := []file{{"docs/b.md", 0o644, []byte("b")}, {"caprun", 0o755, []byte("x")}, {"docs/a.md", 0o644, nil}}
	want := []string{"d/ 755", "d/docs/ 755", "d/caprun 755", "d/docs/a.md 644", "d/docs/b.md 644"}
	data, err := r.tarGz("d", files)
	if err != nil {
		t.Fatal(err)
	}
	decompressed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil || decompressed.Name != "" || !decompressed.ModTime.IsZero() {
		t.Fatalf("%+v, %v", decompressed, err)
	}
	var have []string
	for archive := tar.NewReader(decompressed); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, h.Name+" "+modeText(h.Mode))
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || !h.ModTime.Equal(someTime) || len(h.PAXRecords) > 0 {
			t.Errorf("%+v", h)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the archive has %q, want %q", have, want)
	}
	data, err = r.zip("d", files)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	have = nil
	for _, f := range archive.File {
		have = append(have, f.Name+" "+modeText(int64(f.Mode().Perm())))
		if !f.Modified.Equal(someTime) {
			t.Errorf("%s: %v", f.Name, f.Modified)
		}
	}
	if !slices.Equal(have, want[2:]) {
		t.Errorf("the zip archive has %q, want %q", have, want[2:])
	}
}

// modeText returns permission bits as octal digits.
func modeText(mode int64) string {
	return string([]byte{'0' + byte(mode>>6&7), '0' + byte(mode>>3&7), '0' + byte(mode&7)})
}

// TestDebFiles: each file has its place in the file system, and the licences are in one
// file.
func TestDebFiles(t *testing.T) {
	common := []file{
		{"LICENSE", 0o644, []byte("terms\n")}, {licencesName, 0o644, nil}, {"README.md", 0o644, nil}, {"docs/man/caprun.1", 0o644, nil},
		{"docs/rules/x.md", 0o644, nil}, {"profiles/web.yaml", 0o644, nil}, {"completion/caprun.zsh", 0o644, nil},
	}
	licences := []licence{{module: "example.org/m", id: "MIT", copyright: []string{"2000 A", "2001 B"}, texts: []file{{name: "LICENSE", data: []byte("more terms\n\nend\n")}}}}
	var names []string
	for _, f := range debFiles(release{version: "1.2.3", time: someTime}, nil, common, licences) {
		names = append(names, f.name)
		if f.name == "/usr/share/doc/caprun/copyright" && !strings.HasSuffix(string(f.data), "\nFiles: example.org/m/*\nCopyright: 2000 A\n 2001 B\nLicense: MIT~example.org-m\n more terms\n .\n end\n") {
			t.Errorf("copyright:\n%s", f.data)
		}
	}
	want := []string{
		"/usr/bin/caprun", "/usr/share/caprun/profiles/web.yaml", "/usr/share/doc/caprun/README.md", "/usr/share/doc/caprun/changelog.gz",
		"/usr/share/doc/caprun/copyright", "/usr/share/doc/caprun/docs/rules/x.md", "/usr/share/lintian/overrides/caprun",
		"/usr/share/man/man1/caprun.1.gz", "/usr/share/zsh/vendor-completions/_caprun",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the package has %q, want %q", names, want)
	}
	if got := debVersion("1.2.3-rc.1"); got != "1.2.3~rc.1" {
		t.Errorf("debVersion: %s", got)
	}
}

// TestDebChangelog: the changelog has the version of the package, as deb-version(7) writes it.
func TestDebChangelog(t *testing.T) {
	if got := string(debChangelog(release{version: "1.2.3-rc.1", time: someTime})); !strings.HasPrefix(got, "caprun (1.2.3~rc.1) unstable;") {
		t.Errorf("%s", got)
	}
}

// TestSettings: settings of the user that would change the executable file have no effect.
func TestSettings(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(settings, []byte("GOFLAGS=-tags=x\nGOEXPERIMENT=none\nGOAMD64=v3\nGOPROXY=https://localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOENV", settings)
	t.Setenv("GOFLAGS", "-tags=y")
	t.Setenv("GOPROXY", "")
	set, err := buildSettings()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "env", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOWORK", "GOPROXY")
	cmd.Env = append(os.Environ(), set...)
	if out, err := cmd.Output(); err != nil || string(out) != "\n\nv1\noff\nhttps://localhost\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestLicenceTexts: the list has the text of each file, below its module.
func TestLicenceTexts(t *testing.T) {
	line := strings.Repeat("=", 80)
	text := string(licenceTexts([]licence{{module: "m", version: "v1", id: "MIT", texts: []file{{name: "LICENSE", data: []byte("\nterms\n")}, {name: "NOTICE", data: []byte("notice\n")}}}}))
	for _, want := range []string{"\n" + line + "\nm v1, LICENSE (MIT)\n" + line + "\n\nterms\n", "\nm v1, NOTICE (MIT)\n" + line + "\n\nnotice\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in\n%s", want, text)
		}
	}
}

// TestCleanComponents: the checksums of the tool are removed, those of modules stay, the
// program depends on each component, and a module without a known licence is an error.
func TestCleanComponents(t *testing.T) {
	const text = `{"metadata":{"tools":[{"name":"x","hashes":["tool"]}],"component":{"bom-ref":"main"}},"components":[{"name":"m","hashes":["module"],"bom-ref":"m"},{"name":"std","bom-ref":"std"}],"dependencies":[{"ref":"m"},{"ref":"main","dependsOn":["m"]}]}`
	all := []licence{{module: "m", id: "MIT"}, {module: "std", id: "BSD-3-Clause"}}
	out, err := cleanComponents([]byte(text), all)
	if err != nil || !regexp.MustCompile(`"dependsOn": \[\s*"m",\s*"std"\s*\]`).Match(out) || bytes.Contains(out, []byte(`"tool"`)) || !bytes.Contains(out, []byte(`"module"`)) || !bytes.Contains(out, []byte(`"expression": "MIT"`)) {
		t.Errorf("%v\n%s", err, out)
	}
	for bad, licences := range map[string][]licence{"": nil, "{}": nil, "[]": nil, text: nil, strings.Replace(text, `"ref":"main"`, `"ref":"n"`, 1): all} {
		if out, err := cleanComponents([]byte(bad), licences); err == nil {
			t.Errorf("%s: %s", bad, out)
		}
	}
}

// TestChecksums: the list has the format of sha256sum(1).
func TestChecksums(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := string(checksums(map[string][]byte{"b": nil, "a": nil})); got != empty+"  a\n"+empty+"  b\n" {
		t.Errorf("%s", got)
	}
}

// TestLinks: each relative link of a page leads to a file or a directory that the archives
// and the package have.
func TestLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	names, err := sourceFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, name := range names {
		// The package has the licence and the manual pages at other places.
		if name == "LICENSE" || strings.HasPrefix(name, "docs/man/") {
			continue
		}
		for ; name != "."; name = path.Dir(name) {
			have[name] = true
		}
	}
	links := 0
	for _, name := range names {
		if path.Ext(name) != ".md" {
			continue
		}
		page, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range markdown.Links(string(page)) {
			target, _, _ := strings.Cut(link, "#")
			if target == "" || strings.Contains(target, ":") {
				continue
			}
			if links++; !have[path.Join(path.Dir(name), target)] {
				t.Errorf("%s links to %s, which a release does not have", name, target)
			}
		}
	}
	if links < 100 {
		t.Errorf("%d links", links)
	}
}

// TestModes: only scripts of examples are executable.
func TestModes(t *testing.T) {
	for name, want := range map[string]os.FileMode{"examples/ci/check.sh": 0o755, "examples/web/main.go": 0o644, "README.md": 0o644} {
		data, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := modeOf(name, data); got != want {
			t.Errorf("%s: %o, want %o", name, got, want)
		}
	}
}
