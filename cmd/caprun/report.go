package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"caprun/internal/report"
	"caprun/internal/revision"
	"caprun/internal/sanitize"
	"caprun/internal/source"

	"golang.org/x/term"
)

// reportOptions are the flags of report.
type reportOptions struct {
	out     string // the file to write; empty or "-" for standard output
	base    string // empty without a comparison
	exclude source.Patterns
	format  reportFormat
}

// A reportFormat writes a report whose links are relative to a directory. width is that of
// the terminal, 0 for none, and colour is for a terminal.
type reportFormat func(r *report.Report, w io.Writer, dir string, width int, colour bool) error

// reportForm is the form that prints an overview of many profiles.
func reportForm() *form {
	var o reportOptions
	format := &formFlag{name: "format", metavar: "FORMAT", about: "output format", value: oneOf(&o.format, "format", "human", reportFormats()...),
		more: "The default is human, and with -o it is html."}
	return &form{
		name: "report", about: "print an overview of who has which privilege",
		help: "caprun orders the profiles by power. PATH is as for check. " +
			"The page of -format html has no script and loads nothing; its links are relative to the directory of FILE.",
		flags: []*formFlag{
			{name: "o", metavar: "FILE", about: "file to write; an older report is replaced", value: nonEmpty(&o.out, aFile)},
			{name: "base", metavar: "REV", about: "compare with this git revision", value: nonEmpty(&o.base, aText)},
			format,
			excludeFlag(&o.exclude),
		},
		operands: []operand{{metavar: "PATH", takes: aCheckPath, many: true, about: "profile or directory"}},
		status:   "Exit status: 0 success, 2 usage error, or something that cannot be read or written. A profile with errors is a row of the report.",
		run: func(c *Command, paths []string) int {
			if o.out == "-" {
				o.out = ""
			}
			if o.out != "" && !format.given {
				o.format = reportHTML
			}
			return c.report(o, paths)
		},
	}
}

// reportFormats returns the output formats of report.
func reportFormats() []choice[reportFormat] {
	return []choice[reportFormat]{
		{"human", func(r *report.Report, w io.Writer, _ string, width int, colour bool) error {
			return r.Table(w, width, colour)
		}},
		{"html", reportHTML},
		{"json", func(r *report.Report, w io.Writer, dir string, _ int, _ bool) error { return r.JSON(w, dir) }},
	}
}

func reportHTML(r *report.Report, w io.Writer, dir string, _ int, _ bool) error {
	return r.HTML(w, dir)
}

// terminalWidth returns the number of columns of the terminal that standard output is, 0 for
// another file.
func (c *Command) terminalWidth() int {
	f, ok := c.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// report writes the report of the profiles that the arguments select.
func (c *Command) report(o reportOptions, paths []string) int {
	if o.base != "" && slices.ContainsFunc(paths, func(p string) bool { return p == "-" || strings.HasPrefix(p, "builtin:") }) {
		return c.usageError("-base requires files and directories")
	}
	if o.out != "" {
		if err := checkReport(o.out); err != nil {
			return c.fail(fmt.Errorf("%s: %w", o.out, withoutPath(err)))
		}
	}
	r := &reportRun{Command: c, report: report.New(report.Options{Today: time.Now(), Base: o.base})}
	var err error
	if o.base == "" {
		err = r.addPaths(paths, o.exclude)
	} else {
		err = r.addRevision(o.base, paths, o.exclude)
	}
	if err == nil && len(r.report.Rows()) == 0 {
		err = errors.New("no profiles to report")
	}
	if err != nil {
		return c.fail(err)
	}
	var b bytes.Buffer
	width, colour := c.terminalWidth(), c.Colour
	if o.out != "" {
		width, colour = 0, false
	}
	if err := o.format(r.report, &b, filepath.Dir(cmp.Or(o.out, ".")), width, colour); err != nil {
		return c.fail(err)
	}
	if o.out == "" {
		return max(r.status, c.print(b.String()))
	}
	if err := writeReport(o.out, b.Bytes()); err != nil {
		return c.fail(err)
	}
	return r.status
}

// A reportRun adds profiles to a report. A profile that cannot be read is a row, and makes
// the status exitError.
type reportRun struct {
	*Command
	report *report.Report
	status int
}

// add adds a profile.
func (r *reportRun) add(s report.Source) error {
	if s.Left {
		return nil
	}
	if s.Err != nil {
		hint := source.FileHint(s.Name, s.Err)
		s.Err = source.BrokenLink(s.Name, withoutPath(s.Err))
		r.ReportError(fmt.Errorf("%s: %w%s", sanitize.Line(s.Name), s.Err, hint))
		r.status = exitError
	}
	return r.report.Add(s)
}

// addPaths adds the profiles that arguments select, sorted by name and each once.
func (r *reportRun) addPaths(paths []string, exclude source.Patterns) error {
	type entry struct {
		name string
		read func() []report.Source
	}
	var entries []entry
	seen := map[string]bool{}
	add := func(name, key string, read func() []report.Source) {
		if len(entries) <= report.MaxProfiles && !seen[key] {
			seen[key] = true
			entries = append(entries, entry{name, read})
		}
	}
	var reader source.Reader
	for _, path := range paths {
		if path == "-" || strings.HasPrefix(path, "builtin:") {
			add(path, path, func() []report.Source { return r.readSource(path) })
			continue
		}
		if !isDirectory(path) {
			add(path, absolute(path), func() []report.Source { return newSources(path, path)(reader.Read(path, path)) })
			continue
		}
		err := source.Walk(path, exclude, func(f source.Found) {
			if f.Alias {
				return
			}
			add(f.Name, absolute(f.Name), func() []report.Source {
				if f.Err != nil {
					return newSources(f.Name, f.Name)(source.Content{}, f.Err)
				}
				return newSources(f.Name, f.Name)(reader.ReadNoLinks(f.Name, f.Path))
			})
		})
		if err != nil {
			return err
		}
	}
	for _, e := range entries {
		for _, s := range e.read() {
			if err := r.add(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// absolute returns a path that is the same for every way to write it; the path itself if
// there is none.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// readSource reads standard input or a built-in profile.
func (r *reportRun) readSource(arg string) []report.Source {
	src, err := source.Find(arg, r.Stdin)
	if err != nil {
		return []report.Source{{Name: arg, Err: err}}
	}
	return newSources(src.Name, "")(src.Review())
}

// addRevision adds the profiles of the working tree and of a git revision.
func (r *reportRun) addRevision(base string, paths []string, exclude source.Patterns) error {
	tree, err := revision.Open(".", base)
	if err != nil {
		return err
	}
	defer tree.Close()
	sets, err := newRevisionSets(tree, base, paths, exclude)
	if err != nil {
		return err
	}
	for _, key := range allKeys(sets.old, sets.new) {
		name := sets.new.label(key)
		var new, old []report.Source
		if read := sets.new.profiles[key]; read != nil {
			new = newSources(name, name)(read())
		}
		if read := sets.old.profiles[key]; read != nil {
			old = newSources(name, "")(read())
			if err := failed(old); err != nil {
				r.ReportError(fmt.Errorf("%s: %w", sanitize.Line(sets.old.label(key)), err))
				r.status = exitError
			}
		}
		for _, s := range pairVersions(old, new) {
			if err := r.add(s); err != nil {
				return err
			}
		}
	}
	return nil
}
