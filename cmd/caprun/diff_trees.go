package main

import (
	"errors"
	"fmt"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/revision"
	"caprun/internal/sanitize"
	"caprun/policy"
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
		oldPlan, err := c.plan(v, old, key, false)
		newPlan, invalid := c.plan(v, new, key, true)
		unread := err != nil && !errors.Is(err, errNoPlan)
		change := render.NewChange(sanitize.Line(display(key)), oldPlan, newPlan, unread || invalid != nil)
		switch {
		case change.Kind == render.Invalid:
			status = exitError
		case status == exitOK && o.fails(change.Kind):
			status = exitFindings
		}
		changes.Profiles = append(changes.Profiles, change)
	}
	if err := o.print.profiles(c, changes); err != nil {
		return c.fail(err)
	}
	return status
}

// errNoPlan is the error for a profile without a plan.
var errNoPlan = errors.New("the profile has no plan")

// plan returns the plan of a profile, nil if it is absent. It reports an error of
// reading, and with details why there is no plan.
func (c *Command) plan(v viewpoint, s profileSet, key string, details bool) (*engine.Plan, error) {
	read := s.profiles[key]
	if read == nil {
		return nil, nil
	}
	name := sanitize.Line(s.label(key))
	text, err := read()
	if err != nil {
		c.ReportError(fmt.Errorf("%s: %w", name, err))
		return nil, err
	}
	p, findings := policy.Parse(name, text)
	if p != nil {
		var plan *engine.Plan
		if plan, findings = engine.Compile(p, v.from, v.target()); plan != nil {
			return plan, nil
		}
	}
	if details {
		c.reportFindings(findings, text, exitError)
	}
	return nil, errNoPlan
}
