package evidence

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxText is the largest length of a text that the observed program controls, in bytes.
const MaxText = 160

// programText returns the program and its arguments, with words in quotes where they have
// a space.
func (r *Report) programText() string {
	words := make([]string, 0, len(r.Program))
	for _, word := range r.Program {
		if word == "" || strings.ContainsAny(word, ` "'\`) {
			word = strconv.QuoteToASCII(word)
		}
		words = append(words, word)
	}
	return cut(strings.Join(words, " "), MaxText)
}

// proofText says what the runs show about the whole set.
func (r *Report) proofText() string {
	worked, set := 0, strings.Join(r.Capabilities, ",")
	for _, t := range r.Trials {
		if t.Works && strings.Join(t.Capabilities, ",") == set {
			worked++
		}
	}
	switch {
	case !r.Works && len(r.Trials) == 0:
		return "No profile: no run of the search was complete."
	case !r.Works:
		return fmt.Sprintf("No profile: the program did not work with any set that the search tried (%s).", plural(len(r.Trials), "run"))
	case !r.Proved:
		return fmt.Sprintf("UNCONFIRMED: the program worked with this set in %s. See the notes below.", plural(worked, "run"))
	case len(r.Capabilities) == 0:
		return fmt.Sprintf("Without capabilities the program worked in %s.", plural(worked, "run"))
	case len(r.Capabilities) == 1:
		return fmt.Sprintf("With this capability the program worked in %s. Without it, the program failed.", plural(worked, "run"))
	}
	return fmt.Sprintf("With these capabilities the program worked in %s. Without any one of them, it failed.", plural(worked, "run"))
}

// hardeningText says which other settings the program works with.
func (r *Report) hardeningText() string {
	var names []string
	if r.NoNewPrivs == Passed.String() {
		names = append(names, "no_new_privs")
	}
	if r.NoRoot == Passed.String() {
		names = append(names, "noroot and its lock")
	}
	if len(names) == 0 {
		return ""
	}
	return "The program also worked with " + strings.Join(names, ", and with ") + "."
}

// verdictText returns the verdict and how often the capability was checked.
func verdictText(v Verdict) string {
	checks := times(v.Checks)
	if v.incomplete {
		checks = "at least " + checks
	}
	if v.Kind == FirstRunOnly {
		return "checked in the first run only, " + checks
	}
	text := map[Kind]string{
		Needed: "needed", Unconfirmed: "unconfirmed", CallFails: "not needed, but a call now fails",
		NotNeeded: "not needed", Undecided: "undecided",
	}[v.Kind]
	if v.Kind == CallFails && v.incomplete {
		text = "not needed, but a call fails without it"
	}
	switch {
	case v.unrecorded:
		return text
	case v.Checks == 0:
		return text + "; no check was recorded in the first run"
	}
	return text + "; checked " + checks + " in the first run"
}

// evidenceLines returns what was seen of a capability, one fact a line.
func evidenceLines(v Verdict) []string {
	var lines []string
	if v.Without != nil {
		lines = v.Without.lines()
	}
	fails := "now fails: "
	if v.incomplete {
		fails = "without it: "
	}
	for _, c := range v.Failing {
		lines = append(lines, fails+c.String())
	}
	if v.incomplete && len(v.Failing) > 0 {
		lines = append(lines, "events of the first run were lost: this call may fail there, too")
	}
	if v.Without == nil && len(v.Failing) == 0 || v.Without != nil && len(v.Without.Denied) == 0 {
		for _, c := range v.Calls {
			lines = append(lines, "checked by "+c.Text+c.countText())
		}
		if v.OtherCalls > 0 && len(v.Calls) > 0 {
			lines = append(lines, "checked by other calls, "+times(v.OtherCalls))
		}
	}
	if v.Kind == FirstRunOnly {
		lines = append(lines, "a start from the state before the first run may need it: see -reset")
	}
	if v.unseenLater {
		lines = append(lines, "no later run recorded a check, but events were lost there: see -reset")
	}
	if len(v.Instead) > 0 {
		lines = append(lines, "also worked instead, in one run: "+strings.Join(v.Instead, ", "))
	}
	for _, p := range v.Paths {
		if p.Command != "" {
			lines = append(lines, "if no other user needs this file: "+p.Command+", then run learn again")
		}
	}
	return lines
}

// lines says what failed in the run.
func (f *Failure) lines() []string {
	prefix := fmt.Sprintf("without it (run %d): ", f.Run)
	if f.Larger {
		prefix = fmt.Sprintf("without it, in a larger set (run %d): ", f.Run)
	}
	var lines []string
	for _, c := range f.Denied {
		if c.Errno == "" {
			lines = append(lines, prefix+c.Text+": denied"+c.countText())
		} else {
			lines = append(lines, prefix+c.String())
		}
	}
	missing := "; no check of it was recorded there"
	if f.Incomplete {
		missing = "; events of this run were lost"
	}
	for _, c := range f.Failed {
		lines = append(lines, prefix+c.String()+missing)
	}
	switch {
	case !f.Recorded || len(lines) > 0:
	case f.Incomplete:
		lines = append(lines, prefix+"no denied check was recorded"+missing)
	default:
		lines = append(lines, prefix+"no denied check and no newly failed call was recorded")
	}
	if f.Reason != "" && len(lines) > 0 {
		prefix = fmt.Sprintf("run %d: ", f.Run)
	}
	if f.Reason != "" {
		lines = append(lines, prefix+f.Reason)
	}
	return lines
}

// String returns the call and its result.
func (c Call) String() string {
	if c.Errno == "" {
		return c.Text + c.countText()
	}
	return c.Text + ": " + c.Errno + c.countText()
}

func (c Call) countText() string {
	if c.Count < 2 {
		return ""
	}
	return ", " + times(c.Count)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "s") {
		what += "e"
	}
	return strconv.Itoa(n) + " " + what + "s"
}
