package review

import (
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// eachCapWord calls see for each capability that caps and iab name and give,
// and where.
func eachCapWord(p *policy.Profile, see func(policy.Position, cap.Value)) {
	if p.Caps != nil {
		eachWordOf(p, "caps", see)
	}
	if p.IAB != nil {
		eachWordOf(p, "iab", see)
	}
}

// eachWordOf is eachCapWord for one of the two keys, which the profile has.
func eachWordOf(p *policy.Profile, key string, see func(policy.Position, cap.Value)) {
	seeName := func(n cap.Name) { see(p.TextPosition(key, n.Offset, len(n.Text)), cap.Value(n.Caps.Lowest())) }
	if key == "caps" {
		namesGiven(p.Caps.Clauses, seeName)
	} else {
		namesInherited(p.IAB.Fields, seeName)
	}
}

// namesGiven calls see for the names in those clauses that give capabilities.
func namesGiven(clauses []cap.Clause, see func(cap.Name)) {
	for _, c := range clauses {
		if c.List == "all" || len(c.Actions) == 0 || c.Actions[0].Op == '-' {
			continue
		}
		for _, n := range c.Names {
			see(n)
		}
	}
}

// namesInherited calls see for the names in those fields that make capabilities
// inheritable, and ambient or not.
func namesInherited(fields []cap.Field, see func(cap.Name)) {
	for _, f := range fields {
		if f.Marks == "" || strings.Trim(f.Marks, "!") != "" {
			see(f.Name)
		}
	}
}

// capsPosition returns where the one capability of caps is given, or the text
// that gives them all: that of caps, or else of iab.
func capsPosition(p *policy.Profile, caps cred.Caps) policy.Position {
	switch {
	case p.Caps != nil:
		return wordPosition(p, "caps", caps)
	case p.IAB != nil:
		return wordPosition(p, "iab", caps)
	}
	return policy.Position{}
}

// wordPosition returns where the text at key, which the profile has, gives the
// one capability of caps, or all of the text.
func wordPosition(p *policy.Profile, key string, caps cred.Caps) policy.Position {
	at := p.Position(key)
	eachWordOf(p, key, func(word policy.Position, v cap.Value) {
		if caps == cred.CapsOf(int(v)) {
			at = word
		}
	})
	return at
}
