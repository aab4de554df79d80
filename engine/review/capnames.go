package review

import (
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// eachCapName calls visit for each capability that caps and iab grant by name, with
// the position of the name.
func eachCapName(p *policy.Profile, visit func(policy.Position, cap.Value)) {
	if p.Caps != nil {
		eachNameIn(p, "caps", visit)
	}
	if p.IAB != nil {
		eachNameIn(p, "iab", visit)
	}
}

// eachNameIn is eachCapName for one of the two keys, which must be present.
func eachNameIn(p *policy.Profile, key string, visit func(policy.Position, cap.Value)) {
	visitName := func(n cap.Name) { visit(p.TextPosition(key, n.Offset, len(n.Text)), cap.Value(n.Caps.Lowest())) }
	if key == "caps" {
		namesGiven(p.Caps.Clauses, visitName)
	} else {
		namesInherited(p.IAB.Fields, visitName)
	}
}

// namesGiven calls visit for the names in clauses that grant capabilities.
func namesGiven(clauses []cap.Clause, visit func(cap.Name)) {
	for _, c := range clauses {
		if c.List == "all" || len(c.Actions) == 0 || c.Actions[0].Op == '-' {
			continue
		}
		for _, n := range c.Names {
			visit(n)
		}
	}
}

// namesInherited calls visit for the names in fields that make a capability
// inheritable.
func namesInherited(fields []cap.Field, visit func(cap.Name)) {
	for _, f := range fields {
		if f.Marks == "" || strings.Trim(f.Marks, "!") != "" {
			visit(f.Name)
		}
	}
}

// capsPosition returns the position of the name if caps is one capability that the
// profile names, otherwise that of the value of caps or iab.
func capsPosition(p *policy.Profile, caps cred.Caps) policy.Position {
	switch {
	case p.Caps != nil:
		return namePosition(p, "caps", caps)
	case p.IAB != nil:
		return namePosition(p, "iab", caps)
	}
	return policy.Position{}
}

// namePosition is capsPosition for one key, which must be present.
func namePosition(p *policy.Profile, key string, caps cred.Caps) policy.Position {
	at := p.Position(key)
	eachNameIn(p, key, func(name policy.Position, v cap.Value) {
		if caps == cred.CapsOf(int(v)) {
			at = name
		}
	})
	return at
}
