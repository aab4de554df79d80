package evidence

import "io"

// Table prints the report for people: the verdicts as a table, the result, and its limits.
// Lines have at most 100 characters.
func (r *Report) Table(w io.Writer) error { panic("not implemented") }

// JSON prints the report as one JSON object.
func (r *Report) JSON(w io.Writer) error { panic("not implemented") }

// ProfileText returns the text of the profile, with the evidence as comments above the key caps. The
// error says why there is no profile: no set worked, or the base refuses the set.
func (r *Report) ProfileText() ([]byte, error) { panic("not implemented") }
