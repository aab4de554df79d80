// Package version has the version of caprun.
package version

import (
	"cmp"
	"regexp"
	"runtime/debug"
	"strings"
)

// Number is the version of this source, in the form of semver.org. The Makefile and the
// packages take it from here. The footers of the manual pages repeat it, and a test
// compares them.
const Number = "0.1.0"

// Date is the day of this version, YYYY-MM-DD. It is the time of the files of a release
// that is built outside a git repository.
const Date = "2026-12-01"

// The linker sets these; they are empty in a build without make.
var (
	linked string // the version of a tag, without the v
	commit string // git rev-parse HEAD, and -modified if a file differs from it or is new
)

// Unknown is the commit of a build outside a git repository.
const Unknown = "unknown"

// String returns the version: that of the tag of the commit that was built, if make built
// it and there is one, and otherwise Number.
func String() string { return cmp.Or(linked, Number) }

// Commit returns the commit that was built, and whether files differed from it. Without
// make, the go command recorded both. The commit is Unknown if nothing recorded it, as in
// a build outside a git repository.
func Commit() (hash string, modified bool) {
	if commit != "" {
		return strings.CutSuffix(commit, "-modified")
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Unknown, false
	}
	return recorded(info.Settings)
}

// recorded returns the commit of the settings of a build.
func recorded(settings []debug.BuildSetting) (hash string, modified bool) {
	hash = Unknown
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			hash = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	return hash, modified
}

// Valid reports whether text is a version in the form of semver.org.
func Valid(text string) bool {
	return regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`).MatchString(text)
}
