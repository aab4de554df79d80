package main

import (
	"errors"
	"fmt"
	"io"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/revision"
	"caprun/internal/sanitize"
)

// diffDirectories compares the profiles below two directories.
func (c *Command) diffDirectories(o diffOptions, v viewpoint, oldDir, newDir string) int {
	old, err := profilesBelow(oldDir, o.exclude)
	if err != nil {
		return c.fail(err)
	}
	new, err := profilesBelow(newDir, o.exclude)
	if err != nil {
		return c.fail(err)
	}
	return c.diffSets(o, v, old, new, func(key string) string { return key })
}

// diffRevision compares the profiles of a git revision with those of the working tree.
func (c *Command) diffRevision(o diffOptions, v viewpoint, paths []string) int {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	tree, err := revision.Open(".", o.base)
	if err != nil {
		return c.fail(err)
	}
	defer tree.Close()
	sets, err := newRevisionSets(tree, o.base, paths, o.exclude)
	if err != nil {
		return c.fail(err)
	}
	return c.diffSets(o, v, sets.old, sets.new, sets.new.label)
}

// diffSets compares two sets of profiles; display returns the name of a profile in the
// output. A profile that cannot be read, or a new version without a plan, makes the exit
// status 2, after the others have been compared. An old version without a plan counts
// as absent.
func (c *Command) diffSets(o diffOptions, v viewpoint, old, new profileSet, display func(key string) string) int {
	all := allKeys(old, new)
	if len(all) == 0 {
		return c.fail(fmt.Errorf("%s, %s: no profiles to compare", old.name, new.name))
	}
	changes := render.Changes{Old: sanitize.Line(old.name), New: sanitize.Line(new.name)}
	status := exitOK
	for _, key := range all {
		oldPlans, err := c.plans(v, old, key, false)
		newPlans, invalid := c.plans(v, new, key, true)
		unread := err != nil && !errors.Is(err, errNoPlan)
		if err == nil && invalid == nil && len(oldPlans)+len(newPlans) == 0 {
			continue // files of another platform without a process
		}
		var list []render.Change
		list, status = o.compare(sanitize.Line(display(key)), oldPlans, newPlans, unread || invalid != nil, status)
		changes.Profiles = append(changes.Profiles, list...)
	}
	if err := o.print.profiles(c, changes); err != nil {
		return c.fail(err)
	}
	return status
}

// errNoPlan is the error for a profile without a plan.
var errNoPlan = errors.New("the profile has no plan")

// plans returns the plans of the processes of a file, none if it is absent. It reports an
// error of reading, and with details why there is no plan.
func (c *Command) plans(v viewpoint, s profileSet, key string, details bool) (processPlans, error) {
	read := s.profiles[key]
	if read == nil {
		return nil, nil
	}
	name := sanitize.Line(s.label(key))
	content, err := read()
	if err != nil {
		c.ReportError(fmt.Errorf("%s: %w", name, err))
		return nil, err
	}
	report := c
	if !details {
		report = &Command{Env: c.Env}
		report.Stderr = io.Discard
	}
	list, status := report.readContent(name, content, exitError)
	plans := processPlans{}
	for _, r := range list {
		r.nameProcess(name)
		plan, findings := engine.Compile(r.Profile, v.from, v.target())
		if plan == nil {
			report.reportNoPlan(r, findings, exitError)
			return nil, errNoPlan
		}
		if err := plans.add(r, plan); err != nil {
			report.ReportError(err)
			return nil, err
		}
	}
	if len(plans) == 0 && content.Platform != nil && content.Platform.IsUnread() {
		return processPlans{"": {unread: content.Platform.Normal()}}, nil
	}
	if len(plans) == 0 && (content.Platform == nil || status != exitOK) {
		return nil, errNoPlan
	}
	return plans, nil
}
