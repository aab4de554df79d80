package render

import (
	"slices"
	"strings"

	"caprun/engine"
)

// environNotes describes the changes of the environment. caller is the environment of
// the caller; nil if unknown.
func environNotes(p *engine.Plan, caller []string) []string {
	c := p.EnvironChange()
	sets, removes := slices.Clone(c.Set), slices.Clone(c.Unset)
	var ofUser []string // set to values of a user that was not looked up
	for _, name := range engine.IdentityVariables() {
		if p.EnvPolicy().Source(name) != engine.VarIdentity {
			continue
		}
		entry := slices.IndexFunc(c.Identity, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
		switch {
		case c.UserUnknown:
			ofUser = append(ofUser, name)
		case entry >= 0:
			sets = append(sets, c.Identity[entry])
		case c.KeepAll:
			removes = append(removes, name)
		}
	}
	var notes []string
	if !c.KeepAll {
		notes = append(notes, "keeps "+joinOr(c.Keep, "nothing"))
	}
	if len(sets) > 0 {
		notes = append(notes, "sets "+strings.Join(sets, ", "))
	}
	switch len(ofUser) {
	case 0:
	case 1:
		notes = append(notes, "sets "+ofUser[0]+" to that of user "+p.Identity.User)
	default:
		notes = append(notes, "sets "+joinAnd(ofUser)+" to those of user "+p.Identity.User)
	}
	if len(removes) > 0 {
		notes = append(notes, "removes "+strings.Join(removes, ", "))
	}
	switch {
	case len(c.Loader) == 0:
	case caller != nil:
		if present := engine.PresentLoaderVariables(caller); len(present) > 0 {
			notes = append(notes, loaderNote(present))
		} else {
			notes = append(notes, "no loader variables to remove")
		}
	default:
		notes = append(notes, loaderNote(c.Loader))
	}
	return notes
}

func loaderNote(names []string) string {
	return "removes " + strings.Join(names, ", ") + ": ld.so(8) or the C library ignores them in a privileged program"
}

func joinOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

// joinAnd joins two or more words, the last with "and".
func joinAnd(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
