package main

import (
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

	// input is the file of another platform, and outside what the plan does not have of
	// it; nil for a profile.
	input   *platform.Input
	outside []render.OutsideItem

	// unread is the text of a file without a plan that starts something nevertheless: see
	// platform.Input.IsUnread.
	unread string
}

// add adds the plan of a process. It returns an error if two processes have one name.
func (p processPlans) add(r *reviewed, plan *engine.Plan) error {
	if _, exists := p[r.key]; exists {
		return fmt.Errorf("%s: two processes have the name %s", r.File, strconv.Quote(r.key))
	}
	entry := processPlan{Plan: plan, input: r.input}
	if r.document != nil {
		entry.outside = outsideOf(r.input, r.document, r.findings)
	}
	p[r.key] = entry
	return nil
}

// outsideOf returns what the profile of a document does not have.
func outsideOf(in *platform.Input, d *declared.Document, findings []policy.Diagnostic) []render.OutsideItem {
	var list []render.OutsideItem
	for _, o := range in.Outside(d, findings) {
		list = append(list, render.OutsideItem(o))
	}
	return list
}

// newChange compares two versions of a process.
func newChange(name string, old, new processPlan, invalid bool) render.Change {
	change := render.NewChange(name, old.Plan, new.Plan, invalid)
	if old.input != nil || new.input != nil {
		change.SetOutside(render.NewOutside(old.outside, new.outside))
	}
	return change
}

// newFileChange compares two versions of a file with one process each.
func newFileChange(name string, old, new processPlans, invalid bool) render.Change {
	change := newChange(name, old.single(), new.single(), invalid)
	if old.differs(new) && change.Kind == render.Unchanged {
		change.SetUnexamined()
	}
	return change
}

// differs reports whether two versions of a file of another platform differ in more than
// comments.
func (p processPlans) differs(q processPlans) bool {
	a, b := p.file(), q.file()
	return a != nil && b != nil && a.Normal() != b.Normal()
}

// file returns the file of another platform; nil for a profile.
func (p processPlans) file() *platform.Input {
	for _, plan := range p {
		return plan.input
	}
	return nil
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
	if a, b := old.single().unread, new.single().unread; !invalid && (a != "" || b != "") {
		if a != b {
			add(render.NewUncompared(name, "changed, and its processes are not known: see check"))
		}
		return list, status
	}
	if invalid || len(old) <= 1 && len(new) <= 1 {
		add(newFileChange(name, old, new, invalid))
		return list, status
	}
	var changes []render.Change
	all := maps.Clone(old)
	if all == nil {
		all = processPlans{}
	}
	maps.Copy(all, new)
	for _, process := range slices.Sorted(maps.Keys(all)) {
		changes = append(changes, newChange(processName(name, process), old[process], new[process], false))
	}
	if old.differs(new) && !slices.ContainsFunc(changes, func(c render.Change) bool { return c.Kind != render.Unchanged }) {
		changes[0].SetUnexamined()
	}
	for _, c := range changes {
		add(c)
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
	case file == "" && process == "":
		return "ExecStart"
	case file == "":
		return sanitize.Line(process)
	case process == "":
		return file
	}
	return file + " " + strconv.Quote(process)
}
