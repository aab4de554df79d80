package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// maintainer is the field Maintainer. There is no address: RFC 2606 reserves the domain
// invalid for names that do not exist.
const maintainer = "The caprun authors <authors@caprun.invalid>"

// description is the field Description of the package.
const description = `start programs with exactly the declared privileges
caprun starts a program with exactly the users, groups, capabilities,
securebits and limits that a YAML profile declares, or it does not start
the program.

Other commands review profiles, systemd units, Kubernetes manifests and
compose files: they find mistakes and risks, print the steps of a launch,
and name what a change grants. caprun learn finds the least privilege
that a program needs.
`

// debName returns the name of the package file.
func (r release) debName(t target) string {
	return fmt.Sprintf("caprun_%s_%s.deb", r.version, t.arch)
}

// debFiles returns the files of the package, at their places in the file system.
func debFiles(r release, program []byte, common []file, licences []licence) []file {
	const share = "/usr/share/"
	files := []file{
		{"/usr/bin/caprun", 0o755, program},
		{share + "doc/caprun/copyright", 0o644, copyright(common, licences)},
		{share + "doc/caprun/changelog.gz", 0o644, gzipped(debChangelog(r))},
		{share + "lintian/overrides/caprun", 0o644, []byte(overrides)},
	}
	for _, f := range common {
		switch name := path.Base(f.name); {
		case strings.HasPrefix(f.name, "docs/man/"):
			files = append(files, file{share + "man/man" + path.Ext(name)[1:] + "/" + name + ".gz", 0o644, gzipped(f.data)})
		case name == "caprun.bash":
			files = append(files, file{share + "bash-completion/completions/caprun", 0o644, f.data})
		case name == "caprun.zsh":
			files = append(files, file{share + "zsh/vendor-completions/_caprun", 0o644, f.data})
		case name == "caprun.fish":
			files = append(files, file{share + "fish/vendor_completions.d/caprun.fish", 0o644, f.data})
		case strings.HasPrefix(f.name, "profiles/"), strings.HasPrefix(f.name, "schema/"):
			files = append(files, file{share + "caprun/" + f.name, 0o644, f.data})
		case f.name == "LICENSE", f.name == licencesName:
			// The file copyright has them.
		default:
			files = append(files, file{share + "doc/caprun/" + f.name, f.mode, f.data})
		}
	}
	return sorted(files)
}

// debChangelog returns the changelog of the package: deb-changelog(5).
func debChangelog(r release) []byte {
	return fmt.Appendf(nil, "caprun (%s) unstable; urgency=medium\n\n  * Version %s: see CHANGELOG.md.\n\n -- %s  %s\n",
		debVersion(r.version), r.version, maintainer, r.time.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
}

// docLinks is where links to the profiles and the schemas are: pages name both relative to
// the root of the source.
const docLinks = "/usr/share/doc/caprun/"

// nfpmContent is a file, a directory or a symbolic link in the configuration of nfpm.
type nfpmContent struct {
	Source string       `json:"src,omitempty"`
	Place  string       `json:"dst"`
	Type   string       `json:"type,omitempty"`
	Info   nfpmFileInfo `json:"file_info"`
}

type nfpmFileInfo struct {
	Mode  os.FileMode `json:"mode"`
	Owner string      `json:"owner"`
	Group string      `json:"group"`
	Time  time.Time   `json:"mtime"`
}

// deb returns a Debian package with files and the directory /etc/caprun.
func (r release) deb(t target, files []file, work string) ([]byte, error) {
	stage := filepath.Join(work, "deb-"+t.arch)
	if err := os.Mkdir(stage, 0o700); err != nil {
		return nil, err
	}
	info := func(mode os.FileMode) nfpmFileInfo { return nfpmFileInfo{mode, "root", "root", r.time} }
	contents := []nfpmContent{{Place: "/etc/caprun", Type: "dir", Info: info(0o755)}}
	for _, dir := range directories(files) {
		// The directories of the system belong to other packages, too.
		if dir != "/usr" {
			contents = append(contents, nfpmContent{Place: dir, Type: "dir", Info: info(0o755)})
		}
	}
	for _, name := range [...]string{"profiles", "schema"} {
		contents = append(contents, nfpmContent{Source: "../../caprun/" + name, Place: docLinks + name, Type: "symlink", Info: info(0o777)})
	}
	for k, f := range files {
		source := filepath.Join(stage, fmt.Sprint(k))
		if err := writeFile(source, f.data, 0o600); err != nil {
			return nil, err
		}
		contents = append(contents, nfpmContent{Source: source, Place: f.name, Info: info(f.mode)})
	}
	// JSON is YAML, too.
	config, err := json.Marshal(map[string]any{
		"name": "caprun", "arch": t.arch, "platform": t.os, "version": debVersion(r.version), "version_schema": "none",
		"section": "admin", "priority": "optional", "maintainer": maintainer, "description": description,
		"mtime": r.time, "disable_globbing": true, "contents": contents,
		"deb": map[string]any{"compression": "xz"},
	})
	if err != nil {
		return nil, err
	}
	name := filepath.Join(stage, "nfpm.yaml")
	if err := writeFile(name, config, 0o600); err != nil {
		return nil, err
	}
	out := filepath.Join(stage, r.debName(t))
	cmd := exec.Command("go", "tool", toolModule, "nfpm", "package", "--config", name, "--packager", "deb", "--target", out)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	if _, err := runCommand(cmd); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// debVersion returns a version as deb-version(7) sorts it: a pre-release is older than the
// release.
func debVersion(version string) string { return strings.Replace(version, "-", "~", 1) }
