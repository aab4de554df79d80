//go:build !entrypoint

package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/clean"
	"caprun/policy"
)

// verify compares a running process with a profile.
func (c *Command) verify(args []string) int {
	f := flags("verify")
	pidText := f.String("pid", "", "")
	as := f.String("as", "root", "")
	exact := f.Bool("exact", false, "")
	all := f.Bool("v", false, "")
	format := f.String("format", "human", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	pid, err := parsePID(*pidText)
	switch {
	case *pidText == "":
		return c.usageError("verify needs -pid with the number of a process", usage, exitTrouble)
	case err != nil:
		return c.usageError(err.Error(), usage, exitTrouble)
	case !humanOrJSON(*format):
		return c.usageError(fmt.Sprintf("-format %q: human or json", *format), usage, exitTrouble)
	case f.NArg() != 1:
		return c.usageError("verify needs one profile", usage, exitTrouble)
	}
	from, err := startHere(*as)
	if status, ok := c.startError(*as, err); !ok {
		return status
	}
	p, text, status := c.readToReview(f.Arg(0), exitTrouble)
	if p == nil {
		return status
	}
	v, status := c.compareProcess(pid, p, text, from)
	if v == nil {
		return status
	}
	if *format == "json" {
		err = printJSON(c.Stdout, newJSONVerification(v, *exact))
	} else {
		err = printVerification(c.Stdout, v, *exact, *all, c.Colour)
	}
	switch {
	case err != nil:
		return c.trouble(err)
	case !v.Matches(*exact):
		return exitFindings
	}
	return exitOK
}

// parsePID reads the number of a process: decimal digits, no sign.
func parsePID(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > math.MaxInt32 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("-pid %q: not the number of a process", s)
	}
	return n, nil
}

// compareProcess reads the process and compares it; without a result, the
// reason has been printed.
func (c *Command) compareProcess(pid int, p *policy.Profile, text []byte, from cred.Cred) (*engine.Verification, int) {
	proc, err := engine.ReadProcess(pid)
	if err != nil {
		return nil, c.trouble(err)
	}
	if advice := supervisorAdvice(proc); advice != "" {
		c.complain(advice)
	}
	var user *engine.User
	if p.User != "" {
		if user, err = engine.LookupUser(p.User); err != nil {
			return nil, c.troubleAt(p, err)
		}
	}
	plan, findings := engine.CompileFor(proc, p, from, user)
	if plan == nil {
		return nil, c.noPlan(findings, text, exitTrouble)
	}
	v, err := engine.Verify(plan, proc)
	if err != nil {
		return nil, c.troubleAt(p, err)
	}
	return v, exitOK
}

// verdictWords are how people read a verdict.
var verdictWords = [...]string{
	engine.VerdictSame:         "same",
	engine.VerdictLess:         "given up",
	engine.VerdictUnknown:      "unknown",
	engine.VerdictIncomparable: "not comparable",
	engine.VerdictMore:         "MORE",
}

// printVerification prints the result and the respects in which the process
// differs; with all, every one.
func printVerification(w io.Writer, v *engine.Verification, exact, all, colour bool) error {
	var b strings.Builder
	head := verificationHead(v)
	if exact && v.Verdict() == engine.VerdictSame && !v.Matches(true) {
		head += " as far as can be seen: not its securebits"
	}
	if colour {
		head = "\x1b[1m" + head + "\x1b[0m"
	}
	fmt.Fprintln(&b, head)
	declares := v.Plan.Profile.Secbits != nil || v.Plan.Profile.Mode != nil
	unknownRoot := false
	for _, s := range v.States {
		unknownRoot = unknownRoot || s.RootErr != nil
		var rows []engine.Check
		for _, c := range s.Checks {
			if all || c.Verdict != engine.VerdictSame && (!c.Aside || declares) {
				rows = append(rows, c)
			}
		}
		if len(v.States) > 1 {
			fmt.Fprintf(&b, "%s: %s\n", threadsText(s.Threads), verdictWords[s.Verdict()])
		}
		if len(rows) > 0 {
			printRow(&b, "", "declared", "process", "")
		}
		for _, c := range rows {
			printRow(&b, c.Name, c.A, c.B, verdictWords[c.Verdict])
		}
	}
	if unknownRoot {
		fmt.Fprintln(&b, "  to see the root directory, run caprun as root (cap_sys_ptrace) or as the user of the process")
	}
	_, err := io.WriteString(w, clean.Lines(b.String()))
	return err
}

// verificationHead is the result in one line.
func verificationHead(v *engine.Verification) string {
	pid, file := v.Process.PID, v.Plan.Profile.File
	if v.Process.UserNS != engine.NamespaceSame {
		return fmt.Sprintf("pid %d lives in another user namespace, to which its capabilities are relative: nothing was compared with %s", pid, file)
	}
	switch v.Verdict() {
	case engine.VerdictSame:
		return fmt.Sprintf("pid %d holds what %s declares", pid, file)
	case engine.VerdictLess:
		return fmt.Sprintf("pid %d holds less than %s declares", pid, file)
	case engine.VerdictMore:
		return fmt.Sprintf("pid %d holds MORE than %s declares", pid, file)
	case engine.VerdictUnknown:
		return fmt.Sprintf("pid %d cannot be compared with %s in every respect", pid, file)
	}
	return fmt.Sprintf("pid %d holds other things than %s declares, which cannot be compared", pid, file)
}

func printRow(w io.Writer, name, declared, process, verdict string) {
	const width = 26
	a, b := wrapList(declared, width), wrapList(process, width)
	for n := range max(len(a), len(b)) {
		if n > 0 {
			name, verdict = "", ""
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-15s %-*s %-*s %s", name, width, at(a, n), width, at(b, n), verdict), " "))
	}
}

// threadsText names threads, the first of many.
func threadsText(tids []int) string {
	const most = 8
	words := make([]string, 0, most)
	for _, tid := range tids[:min(len(tids), most)] {
		words = append(words, strconv.Itoa(tid))
	}
	text := "thread " + words[0]
	if len(tids) > 1 {
		text = "threads " + strings.Join(words, ",")
	}
	if more := len(tids) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// jsonVerification is what verify prints for programs.
type jsonVerification struct {
	Version       int                 `json:"version"`
	PID           int                 `json:"pid"`
	Profile       string              `json:"profile"`
	Matches       bool                `json:"matches"` // status 0
	Exact         bool                `json:"exact"`
	Verdict       string              `json:"verdict"`
	UserNamespace string              `json:"user_namespace"` // same, or other: then there are no states
	Declared      jsonCred            `json:"declared"`
	States        []jsonVerifiedState `json:"states"`
}

type jsonVerifiedState struct {
	Threads    []int       `json:"threads"`
	Verdict    string      `json:"verdict"`
	Process    jsonCred    `json:"process"`
	Dimensions []jsonCheck `json:"dimensions"`
}

type jsonCheck struct {
	Name     string   `json:"name"`
	Declared string   `json:"declared"`
	Process  string   `json:"process"`
	Verdict  string   `json:"verdict"`
	Gained   []string `json:"gained"`
	Lost     []string `json:"lost"`
}

func newJSONVerification(v *engine.Verification, exact bool) jsonVerification {
	j := jsonVerification{
		Version: formatVersion, PID: v.Process.PID, Profile: v.Plan.Profile.File,
		Matches: v.Matches(exact), Exact: exact, Verdict: v.Verdict().String(),
		UserNamespace: v.Process.UserNS.String(), Declared: newJSONCred(v.Plan.After), States: []jsonVerifiedState{},
	}
	for _, s := range v.States {
		state := jsonVerifiedState{Threads: s.Threads, Verdict: s.Verdict().String(), Process: processCred(s.Cred)}
		for _, c := range s.Checks {
			state.Dimensions = append(state.Dimensions, jsonCheck{
				Name: c.Name, Declared: c.A, Process: c.B, Verdict: c.Verdict.String(),
				Gained: append([]string{}, c.Gained...), Lost: append([]string{}, c.Lost...),
			})
		}
		j.States = append(j.States, state)
	}
	return j
}

// processCred is the JSON form of what could be read of another process: not
// its securebits.
func processCred(c cred.Cred) jsonCred {
	j := newJSONCred(c)
	j.Securebits = nil
	return j
}
