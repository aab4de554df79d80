package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/sanitize"
	"caprun/platform"
	"caprun/platform/declared"
)

// processPlans are the plans of the processes of one file, by the names of the processes.
// The name of a profile, and of the main command of a unit, is empty.
type processPlans map[string]*engine.Plan

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

// only returns the plan of a file with one process, nil for none.
func (p processPlans) only() *engine.Plan {
	for _, plan := range p {
		return plan
	}
	return nil
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
	if invalid || len(old) <= 1 && len(new) <= 1 {
		add(render.NewChange(name, old.only(), new.only(), invalid))
		return list, status
	}
	all := maps.Clone(old)
	if all == nil {
		all = processPlans{}
	}
	maps.Copy(all, new)
	for _, process := range slices.Sorted(maps.Keys(all)) {
		add(render.NewChange(processName(name, process), old[process], new[process], false))
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
