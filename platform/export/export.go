package export

import (
	"fmt"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// A Result is the text for a platform.
type Result struct {
	Text []byte

	// Losses are what the profile declares and the platform does not do.
	Losses []Loss

	// Notes are conditions for the equality of the rest, such as an entry in the user
	// database. Each is a sentence without a final period.
	Notes []string
}

// A Loss is a declaration of the profile that a platform cannot express.
type Loss struct {
	// Key is the key of the profile; empty if it has none for the loss.
	Key string
	policy.Position

	// Field is the field of cred.Cred that differs after exec; empty if the loss is not
	// about credentials.
	Field string

	// What says what is lost, without a final period. It can have text of the profile.
	What string
}

// An Error reports that a platform cannot start the program with the identity, or in the
// root directory, of the profile. Without them it would have other privileges, not less.
type Error struct {
	Key string
	policy.Position
	Message string // begins with the noun, without a final period
	Hint    string // what to do
}

// Error returns the key and the message.
func (e *Error) Error() string { return e.Key + ": " + e.Message }

// writer collects a result.
type writer struct {
	*engine.Plan
	Result
}

// lose records a loss of a key.
func (w *writer) lose(key, format string, args ...any) {
	w.Losses = append(w.Losses, Loss{Key: key, Position: w.Profile.Position(key), What: fmt.Sprintf(format, args...)})
}

func (w *writer) note(format string, args ...any) {
	w.Notes = append(w.Notes, fmt.Sprintf(format, args...))
}

// refuse returns an error about a key.
func (w *writer) refuse(key, hint, format string, args ...any) error {
	return &Error{key, w.Profile.Position(key), fmt.Sprintf(format, args...), hint}
}

// contain returns the sets just before exec with which the platform's state after exec has
// no capability that the plan does not grant. Without securebits, and with a permitted set
// that the platform does not lower, exec grants uid 0 its bounding and inheritable sets.
func (w *writer) contain(before cred.Cred) cred.Cred {
	granted := w.AfterExec.Permitted
	if after := w.exec(before); !after.Permitted.SubsetOf(granted) || !after.Effective.SubsetOf(w.AfterExec.Effective) {
		before.Bounding = before.Bounding.Intersect(granted)
		before.Inheritable = before.Inheritable.Intersect(granted)
		before.Ambient = before.Ambient.Intersect(granted)
	}
	return before
}

// exec returns the state in which an ordinary program starts.
func (w *writer) exec(before cred.Cred) cred.Cred {
	after, _, _ := before.Exec(cred.File{}, w.Target.KernelRules)
	return after
}

// losesFields records the fields in which the platform's state after exec differs from the
// plan's. why says what the platform lacks.
func (w *writer) losesFields(before cred.Cred, why map[string]string) {
	after := w.exec(before)
	for _, field := range after.Diff(w.AfterExec) {
		key := w.keyOf(field)
		what := fmt.Sprintf("%s is %s, not %s", engine.FieldName(field), engine.FieldText(after, field), engine.FieldText(w.AfterExec, field))
		if reason := why[field]; reason != "" {
			what = reason + ": " + what
		}
		w.Losses = append(w.Losses, Loss{key, w.Profile.Position(key), field, what})
	}
}

// keyOf returns the key that declares a field of cred.Cred.
func (w *writer) keyOf(field string) string {
	keys := []string{"iab", "caps", "mode", "uid", "user"}
	switch field {
	case "Effective", "Permitted":
		keys = []string{"caps", "iab", "mode", "uid", "user"}
	case "Securebits":
		keys = []string{"secbits", "mode"}
	case "NoNewPrivs":
		keys = []string{"no_new_privs", "mode"}
	}
	for _, key := range keys {
		if w.Profile.Has(key) {
			return key
		}
	}
	return ""
}

// command returns the program and its arguments; empty if the plan has none.
func (w *writer) command() []string {
	if len(w.Target.Args) > 0 {
		return w.Target.Args
	}
	return w.Profile.Command
}

// name returns the name of the profile, or def.
func (w *writer) name(def string) string {
	if w.Profile.Name != "" {
		return w.Profile.Name
	}
	return def
}

// limits returns the limits of which the profile declares both values. A platform cannot set
// only one of them.
func (w *writer) limits(platform string) []policy.Rlimit {
	var list []policy.Rlimit
	for _, l := range w.Profile.Rlimits {
		if l.InheritSoft || l.InheritHard {
			w.lose("rlimits."+l.Name, "%s sets the soft and the hard limit together, and the profile declares one of them", platform)
			continue
		}
		list = append(list, l)
	}
	return list
}

// keptDescriptors records the descriptors that the profile keeps.
func (w *writer) keptDescriptors(how string) {
	if len(w.Profile.KeepFDs) > 0 {
		w.lose("keep_fds", "descriptors %s: %s", strings.Trim(fmt.Sprint(w.Profile.KeepFDs), "[]"), how)
	}
}

// upper returns the names of capabilities as the platforms write them, such as CAP_KILL.
func upper(caps cred.Caps) []string {
	names := caps.Names()
	for n := range names {
		names[n] = strings.ToUpper(names[n])
	}
	return names
}

// sentence returns names as "a", "a and b" or "a, b and c".
func sentence(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return strings.Join(names, "")
}
