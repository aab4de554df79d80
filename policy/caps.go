package policy

import "caprun/cap"

// Caps is the value of the key caps.
type Caps struct {
	Text                              string // as in the file
	Effective, Permitted, Inheritable cap.Mask
	Clauses                           []cap.Clause // of Text
}

// NewCaps returns the value of the text of a set, as Parse reads it: "all" means
// every capability that has a name. The error is a *cap.TextError.
func NewCaps(text string) (*Caps, error) {
	set, clauses, err := cap.ReadText(text, cap.NamedCount)
	if err != nil {
		return nil, err
	}
	return newCaps(text, set, clauses), nil
}

func newCaps(text string, set *cap.Set, clauses []cap.Clause) *Caps {
	c := &Caps{Text: text, Clauses: clauses}
	// A set that was read has masks; only the zero Set has none.
	c.Effective, c.Permitted, c.Inheritable, _ = set.Masks()
	return c
}

// IAB is the value of the key iab.
type IAB struct {
	Text                          string // as in the file
	Inheritable, Ambient, Blocked cap.Mask
	Fields                        []cap.Field // of Text
}

// NewIAB returns the value of the text of an IAB tuple. The error is a
// *cap.TextError.
func NewIAB(text string) (*IAB, error) {
	tuple, fields, err := cap.ReadIAB(text)
	if err != nil {
		return nil, err
	}
	return newIAB(text, tuple, fields), nil
}

func newIAB(text string, tuple *cap.IAB, fields []cap.Field) *IAB {
	v := &IAB{Text: text, Fields: fields}
	v.Inheritable, v.Ambient, v.Blocked, _ = tuple.Masks()
	return v
}
