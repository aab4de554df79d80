package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/sanitize"
)

// verdictWords are the printed words of the verdicts.
var verdictWords = [...]string{
	compare.VerdictSame:         "same",
	compare.VerdictLess:         "less",
	compare.VerdictUnknown:      "unknown",
	compare.VerdictIncomparable: "not comparable",
	compare.VerdictMore:         "MORE",
}

// Verification prints the result and the dimensions in which the process differs from
// the plan, or with all every dimension.
func Verification(w io.Writer, v *compare.Verification, exact, all, colour bool) error {
	var b strings.Builder
	head := verificationHead(v)
	if exact && v.Verdict() == compare.VerdictSame && !v.Matches(true) {
		head += ", but caprun cannot read its securebits (-exact)"
	}
	if colour {
		head = "\x1b[1m" + head + "\x1b[0m"
	}
	fmt.Fprintln(&b, head)
	declares := v.Plan.Profile.Secbits != nil || v.Plan.Profile.Mode != nil
	unknownRoot := false
	for _, s := range v.States {
		unknownRoot = unknownRoot || s.RootErr != nil
		var rows []compare.Check
		for _, c := range s.Checks {
			if all || c.Verdict != compare.VerdictSame && (!c.Ignored || declares) {
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
			printRow(&b, string(c.Dimension), c.Old.String(), c.Found(), verdictWords[c.Verdict])
		}
	}
	if unknownRoot {
		fmt.Fprintln(&b, "  to compare the root directory, run caprun as root (cap_sys_ptrace) or as the user of the process")
	}
	_, err := io.WriteString(w, sanitize.Lines(b.String()))
	return err
}

// verificationHead returns the result in one line.
func verificationHead(v *compare.Verification) string {
	pid, file := v.Process.PID, v.Plan.Profile.File
	if v.Process.UserNS != machine.NamespaceSame {
		return fmt.Sprintf("process %d cannot be compared with %s: its capabilities apply to another user namespace", pid, file)
	}
	switch v.Verdict() {
	case compare.VerdictSame:
		return fmt.Sprintf("process %d has the privileges that %s declares", pid, file)
	case compare.VerdictLess:
		return fmt.Sprintf("process %d has less privilege than %s declares", pid, file)
	case compare.VerdictMore:
		return fmt.Sprintf("process %d has MORE privilege than %s declares", pid, file)
	case compare.VerdictUnknown:
		return fmt.Sprintf("process %d can be compared with %s only in part", pid, file)
	}
	return fmt.Sprintf("process %d has other privileges than %s declares, neither more nor less", pid, file)
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

// threadsText returns the thread IDs, or the first of many.
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

// jsonVerification is the JSON form of a verification.
type jsonVerification struct {
	Version       int                 `json:"version"`
	PID           int                 `json:"pid"`
	Profile       string              `json:"profile"`
	Matches       bool                `json:"matches"` // the exit status is 0
	Exact         bool                `json:"exact"`
	Verdict       string              `json:"verdict"`
	UserNamespace string              `json:"user_namespace"` // same, or other with no states
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

// VerificationJSON prints a verification for programs.
func VerificationJSON(w io.Writer, v *compare.Verification, exact bool) error {
	return JSON(w, newJSONVerification(v, exact))
}

func newJSONVerification(v *compare.Verification, exact bool) jsonVerification {
	j := jsonVerification{
		Version: FormatVersion, PID: v.Process.PID, Profile: v.Plan.Profile.File,
		Matches: v.Matches(exact), Exact: exact, Verdict: v.Verdict().String(),
		UserNamespace: v.Process.UserNS.String(), Declared: newJSONCred(v.Plan.AfterExec), States: []jsonVerifiedState{},
	}
	for _, s := range v.States {
		state := jsonVerifiedState{Threads: s.Threads, Verdict: s.Verdict().String(), Process: processCred(s.Cred)}
		for _, c := range s.Checks {
			state.Dimensions = append(state.Dimensions, jsonCheck{
				Name: string(c.Dimension), Declared: c.Old.String(), Process: c.Found(), Verdict: c.Verdict.String(),
				Gained: append([]string{}, c.Gained()...), Lost: append([]string{}, c.Lost()...),
			})
		}
		j.States = append(j.States, state)
	}
	return j
}

// processCred is the JSON form of the credentials of another process, whose securebits
// cannot be read.
func processCred(c cred.Cred) jsonCred {
	j := newJSONCred(c)
	j.Securebits = nil
	return j
}
