package cap

// A Name is a name in the text of a set or of an IAB tuple.
type Name struct {
	Text   string // "cap_kill", "5", "all", or an unknown word; empty if the name is missing
	Offset int    // of the name, in bytes from the start of the text
	Caps   Mask   // the capabilities that it names; empty for an unknown word
}

// An Action is an operator of a clause and its flags.
type Action struct {
	Op    byte   // '=', '+' or '-'
	Flags string // the letters e, i and p, or unknown flags
}

// A Clause is a clause in the text of a set: see [FromText].
type Clause struct {
	Text    string
	Offset  int        // of the clause, in bytes from the start of the text
	List    string     // the text before the first operator
	Names   []Name     // the names in List; nil if that is empty
	Actions []Action   // nil if there is no operator
	Err     *TextError // the first error; nil for a valid clause
}

// ReadText is like ParseText, but also returns the clauses of the text, even if it is
// invalid. The error is the first *TextError of a clause; then the set is nil.
func ReadText(text string, bits Value) (*Set, []Clause, error) {
	var flags [flagCount]Mask
	var clauses []Clause
	var first *TextError
	for at := skipSpace(text, 0); at < len(text); {
		c := readClause(text, at, lowBits(bits))
		if _, f := parseClause(text, at, lowBits(bits), &flags); f.reason != "" {
			c.Err = f.in(text)
			if first == nil {
				first = c.Err
			}
		}
		clauses = append(clauses, c)
		at = skipSpace(text, at+len(c.Text))
	}
	switch {
	case clauses == nil:
		return nil, nil, emptyText.in(text)
	case first != nil:
		return nil, clauses, first
	}
	return &Set{ready: true, flags: flags}, clauses, nil
}

// readClause returns the clause that begins at from.
func readClause(text string, from int, all Mask) Clause {
	c := Clause{Offset: from}
	at := from
	for {
		end := nameEnd(text, at)
		c.Names = append(c.Names, readName(text, at, end))
		at = end
		if at == len(text) || text[at] != ',' {
			break
		}
		at++
	}
	if c.List = text[from:at]; c.List == "" {
		c.Names = nil
	}
	if c.List == "all" {
		c.Names[0].Caps = all
	}
	for at < len(text) && isOp(text[at]) {
		begin := at + 1
		at = flagsEnd(text, begin)
		c.Actions = append(c.Actions, Action{text[begin-1], text[begin:at]})
	}
	c.Text = text[from:at]
	return c
}

func readName(text string, from, end int) Name {
	n := Name{Text: text[from:end], Offset: from}
	if v, reason := parseValue(n.Text); reason == "" {
		n.Caps = 1 << v
	}
	return n
}

// A Field is a field in the text of an IAB tuple: see [IABFromText].
type Field struct {
	Marks string // any of "!", "^" and "%"
	Name  Name
}

// ReadIAB is like ParseIAB, but also returns the fields of the text, even if it is
// invalid. The error is a *TextError; then the tuple is nil.
func ReadIAB(text string) (*IAB, []Field, error) {
	var fields []Field
	for at := 0; at < len(text) || len(fields) > 0 && at == len(text); at++ {
		_, n := parseMarks(text[at:])
		end := fieldEnd(text, at+n)
		fields = append(fields, Field{text[at : at+n], readName(text, at+n, end)})
		at = end
	}
	iab, err := ParseIAB(text)
	return iab, fields, err
}
