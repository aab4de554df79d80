package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/sanitize"
	"caprun/platform"
	"caprun/platform/declared"
	"caprun/policy"
)

// processPlans are the plans of the processes of one file, by the names of the processes.
// The name of a profile, and of the main command of a unit, is empty.
type processPlans map[string]processPlan

// processPlan is the plan of a process.
type processPlan struct {
	*engine.Plan

	// outside is what the plan does not have of a file of another platform: findings, and
	// what a profile cannot express. document is nil for a profile.
	outside  []string
	document *declared.Document

	// dropIn is the text of a drop-in whose unit is not beside it; such a file has no plan.
	dropIn []byte
}

// add adds the plan of a process. It returns an error if two processes have one name.
func (p processPlans) add(r *reviewed, plan *engine.Plan) error {
	if _, exists := p[r.key]; exists {
		return fmt.Errorf("%s: two processes have the name %s", r.File, strconv.Quote(r.key))
	}
	entry := processPlan{Plan: plan, document: r.document}
	if r.document != nil {
		entry.outside = outsideOf(r.document, r.findings)
	}
	p[r.key] = entry
	return nil
}

// outsideOf returns what the profile of a document does not have: the messages of findings
// about the file and the process, and what a profile cannot express.
func outsideOf(d *declared.Document, findings []policy.Diagnostic) []string {
	var list []string
	for _, f := range slices.Concat(findings, d.Findings, platform.Losses(d)) {
		list = append(list, f.Message)
	}
	return list
}

// newChange compares two versions of a process.
func newChange(name string, old, new processPlan, invalid bool) render.Change {
	change := render.NewChange(name, old.Plan, new.Plan, invalid)
	if old.document != nil && new.document != nil {
		change.SetOutside(render.NewOutside(old.outside, new.outside))
	}
	return change
}

// processKey returns the key of a process of a file in processPlans. The names of commands
// of a unit begin with that of the unit, which can differ between two versions.
func processKey(in *platform.Input, main, d *declared.Document) string {
	switch {
	case in.Kind != platform.Systemd:
		return d.Name
	case d == main:
		return ""
	}
	return strings.TrimPrefix(d.Name, main.Name+"-")
}

// selectProcess returns the plan of one of several processes.
func (p processPlans) selectProcess(name string) processPlans {
	key, ok := findName(slices.Collect(maps.Keys(p)), name)
	if !ok {
		return nil
	}
	return processPlans{"": p[key]}
}

// findName returns the name that an argument of -process means: the whole name, or its last
// element if no other name ends with it.
func findName(names []string, arg string) (name string, ok bool) {
	found := 0
	for _, n := range names {
		if n == arg {
			return n, true
		}
		if strings.HasSuffix(n, "/"+arg) {
			name = n
			found++
		}
	}
	return name, found == 1
}

// single returns the plan of a file with at most one process, nil for none.
func (p processPlans) single() processPlan {
	for _, plan := range p {
		return plan
	}
	return processPlan{}
}

// compare compares the processes of two versions of a file. If both have at most one, these
// are compared, whatever their names are. It returns the exit status for the differences
// so far.
func (o diffOptions) compare(name string, old, new processPlans, invalid bool, status int) ([]render.Change, int) {
	var list []render.Change
	add := func(change render.Change) {
		switch {
		case change.Kind == render.Invalid:
			status = exitError
		case status == exitOK && o.fails(change.Kind):
			status = exitFindings
		}
		list = append(list, change)
	}
	if a, b := old.single().dropIn, new.single().dropIn; !invalid && (a != nil || b != nil) {
		if !bytes.Equal(a, b) {
			add(render.NewUncompared(name, "a drop-in, whose unit is not beside it, changed"))
		}
		return list, status
	}
	if invalid || len(old) <= 1 && len(new) <= 1 {
		add(newChange(name, old.single(), new.single(), invalid))
		return list, status
	}
	all := maps.Clone(old)
	if all == nil {
		all = processPlans{}
	}
	maps.Copy(all, new)
	for _, process := range slices.Sorted(maps.Keys(all)) {
		add(newChange(processName(name, process), old[process], new[process], false))
	}
	return list, status
}

// nameProcess gives the profile of one of several processes the name of the process.
func (r *reviewed) nameProcess(file string) {
	if r.key != "" {
		r.File = processName(file, r.key)
	}
}

// processName returns the name of a process of a file in a comparison.
func processName(file, process string) string {
	process = sanitize.Text(process)
	switch {
	case file == "":
		return sanitize.Line(process)
	case process == "":
		return file
	}
	return file + " " + strconv.Quote(process)
}
