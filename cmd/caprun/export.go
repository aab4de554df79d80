package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/platform/declared"
	"caprun/platform/export"
	"caprun/policy"
)

// An exporter writes a plan for a platform. name is that of the profile, or of its file.
type exporter func(p *engine.Plan, name string) (*export.Result, error)

// exportForm is the form that prints a profile for another platform.
func exportForm() *form {
	var to exporter
	return &form{
		name: "export", about: "print a profile for another platform",
		help: "A systemd unit and an OCI configuration start the program with the privileges of the profile, without caprun. " +
			"The output for Kubernetes and compose starts a sealed launcher, or the program itself if it has no capability. " +
			"Standard error has what the platform cannot express.",
		flags: []*formFlag{
			{name: "to", metavar: "PLATFORM", about: "platform", required: true, value: oneOf(&to, "platform", "systemd", exporters()...)},
		},
		operands: []operand{{metavar: "PROFILE", takes: aProfile, about: "profile"}},
		status:   "Exit status: 0 success, 1 the platform cannot express everything, or the profile has no plan, 2 usage error or unreadable file.",
		run:      func(c *Command, profiles []string) int { return c.export(to, profiles[0]) },
	}
}

// exporters returns the words of -to.
func exporters() []choice[exporter] {
	return []choice[exporter]{
		{"systemd", export.Systemd},
		{"oci", func(p *engine.Plan, _ string) (*export.Result, error) { return export.OCI(p) }},
		{"kubernetes", export.Kubernetes},
		{"compose", export.Compose},
	}
}

// export prints a profile for another platform.
func (c *Command) export(to exporter, profile string) int {
	p, text, status := c.readProfile(profile, exitFindings)
	if p == nil {
		return status
	}
	plan, findings := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		return c.reportFindings(findings, text, exitFindings)
	}
	result, err := to(plan, fileTitle(p.File))
	var refused *export.Error
	switch {
	case errors.As(err, &refused):
		c.ReportAt(p.File, refused.Position, refused.Key+": "+refused.Message+"; "+refused.Hint)
		return exitFindings
	case err != nil:
		return c.fail(err)
	}
	if status := c.print(string(result.Text)); status != exitOK {
		return status
	}
	var losses []policy.Diagnostic
	for _, l := range result.Losses {
		at := declared.Source{File: p.File, Position: l.Position}
		losses = append(losses, declared.NotExpressed.Diagnostic(at, "", l.What))
	}
	for _, note := range result.Notes {
		c.Report(p.File + ": " + note)
	}
	if len(losses) == 0 {
		return exitOK
	}
	if err := review.Details(c.Stderr, slices.Values([]review.Report{review.NewReport(p.File, text, losses)}), false); err != nil {
		return c.fail(err)
	}
	return exitFindings
}

// fileTitle returns a name for what is made from a profile without a name: that of its
// file, without directory and extension.
func fileTitle(file string) string {
	title := strings.TrimPrefix(file, "builtin:")
	title = strings.TrimSuffix(filepath.Base(title), filepath.Ext(title))
	valid := func(r rune) bool {
		return r < 0x80 && (strings.ContainsRune("._-", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}
	if title == "" || title[0] == '.' || title[0] == '-' || strings.ContainsFunc(title, func(r rune) bool { return !valid(r) }) {
		return "program"
	}
	return title
}
