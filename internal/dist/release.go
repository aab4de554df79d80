package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	source "caprun/internal/version"
)

// release is what the files of a release have in common.
type release struct {
	version string
	commit  string // with -modified if a file differs; empty if unknown
	time    time.Time
}

// newRelease returns the release of a commit. It returns an error if the version of the
// tag is not that of the source, or if git does not name the commit of a repository.
func newRelease(version, commit string) (release, error) {
	r := release{version: source.Number, commit: commit}
	if version != "" && version != source.Number {
		return r, fmt.Errorf("version %s: internal/version has %s; change Number there, or the tag", version, source.Number)
	}
	if !source.Valid(r.version) {
		return r, fmt.Errorf("internal/version: invalid Number %q; write it as 1.2.3", r.version)
	}
	// The commit is empty outside a repository, and if git refuses to read it.
	if _, err := os.Lstat(".git"); err == nil && commit == "" {
		return r, errors.New("the commit is unknown, because git does not read this repository: run git status; for a repository of another user, add it to safe.directory (git-config(1))")
	}
	var err error
	r.time, err = releaseTime(commit, os.Getenv("SOURCE_DATE_EPOCH"))
	return r, err
}

// releaseTime returns the modification time of the files in archives: that of
// SOURCE_DATE_EPOCH, of the commit, or without both of the version.
func releaseTime(commit, epoch string) (time.Time, error) {
	if epoch == "" && commit != "" {
		hash := strings.TrimSuffix(commit, "-modified")
		out, err := exec.Command("git", "show", "--no-show-signature", "--no-patch", "--format=%ct", "--end-of-options", hash).Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("commit %s: cannot read its date: %w; set SOURCE_DATE_EPOCH", hash, err)
		}
		epoch = strings.TrimSpace(string(out))
	}
	if epoch == "" {
		return time.Parse(time.DateOnly, source.Date)
	}
	// A time in a zip file begins with 1980, and one of a tar header of 12 octal digits ends
	// in 2242.
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 315532800 || seconds >= 1<<33 {
		return time.Time{}, fmt.Errorf("invalid time %q: want seconds since 1970, at least 315532800; correct SOURCE_DATE_EPOCH", epoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
