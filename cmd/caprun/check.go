//go:build !entrypoint

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"caprun/engine"
	"caprun/engine/review"
	"caprun/policy"
)

// check finds the mistakes and risks of profiles.
func (c *Command) check(args []string) int {
	f := flags("check")
	format := f.String("format", "human", "")
	failOn := f.String("fail-on", "warning", "")
	host := f.Bool("host", false, "")
	ceiling := f.String("ceiling", "", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	print, ok := checkPrinter(*format, c.Colour)
	if !ok {
		return c.usageError(fmt.Sprintf("-format %q: human, oneline, json, sarif or github", *format), usage, exitTrouble)
	}
	fails, ok := failing(*failOn)
	if !ok {
		return c.usageError(fmt.Sprintf("-fail-on %q: error, warning, info or never", *failOn), usage, exitTrouble)
	}
	options := review.Options{Today: time.Now()}
	if *host {
		if runtime.GOOS != "linux" {
			return c.usageError("-host: only Linux has what it looks at", usage, exitTrouble)
		}
		options.Host = engine.Host
	}
	if f.NArg() == 0 {
		return c.usageError("check needs a file or a directory", usage, exitTrouble)
	}
	status := exitOK
	if given(f, "ceiling") {
		if options.Ceiling, status = c.readCeiling(*ceiling); options.Ceiling == nil {
			return status
		}
	}
	var reports []review.Report
	for _, arg := range f.Args() {
		files, err := profilesBelow(arg)
		if err != nil {
			status = c.trouble(err)
		}
		for _, file := range files {
			src, err := c.checkSource(file)
			if err != nil {
				status = c.trouble(err)
				continue
			}
			text, err := src.text(false)
			if err != nil {
				// The other files are checked all the same.
				status = c.trouble(fmt.Errorf("%s: %w", src.name, err))
				continue
			}
			report := review.Check(src.name, text, options)
			reports = append(reports, report)
			if status == exitOK && slices.ContainsFunc(report.Findings, fails) {
				status = exitFindings
			}
		}
	}
	slices.SortStableFunc(reports, func(a, b review.Report) int { return cmp.Compare(a.File, b.File) })
	if err := print(c.Stdout, slices.Values(reports)); err != nil {
		return c.trouble(err)
	}
	return status
}

// failing returns which findings make the status 1.
func failing(name string) (fails func(review.Finding) bool, ok bool) {
	if name == "never" {
		return func(review.Finding) bool { return false }, true
	}
	for _, s := range []policy.Severity{policy.Error, policy.Warning, policy.Info} {
		if s.String() == name {
			return func(f review.Finding) bool { return f.Suppressed == nil && f.Severity <= s }, true
		}
	}
	return nil, false
}

// checkSource is findSource for a path found on the command line or below a
// directory: what is no other form is a file.
func (c *Command) checkSource(arg string) (source, error) {
	if arg == "-" || strings.HasPrefix(arg, "builtin:") {
		return c.findSource(arg)
	}
	return source{name: arg, path: arg}, nil
}

// profilesBelow returns the files to check for an argument: itself, or, for a
// directory, the .yaml and .yml files below it that are not hidden.
func profilesBelow(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		// What cannot be looked at is read next, and reported then.
		return []string{arg}, nil
	}
	var files []string
	err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && path != arg
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir():
		case strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml"):
			files = append(files, path)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: no .yaml or .yml file below it", arg)
	}
	return files, err
}

// trouble prints why a reviewing command could not do its work.
func (c *Command) trouble(err error) int {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	c.complain(err.Error())
	return exitTrouble
}
