package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"caprun/internal/render"
	"caprun/internal/sanitize"
	"caprun/learn"
	"caprun/learn/evidence"
)

// finish prints the result, and returns the exit status. early is the reason why learn
// ended early; nil for none.
func (p *learnPrinter) finish(r *learn.Report, early error) int {
	p.reportEarly(r, early)
	best := r.Best()
	report := evidence.Judge(best.Evidence)
	confirmed := best.State == learn.Confirmed && early == nil
	var err error
	if p.options.json {
		err = p.printJSON(r, confirmed)
	} else {
		err = p.printTables(r)
	}
	var notWritten error
	written := false
	if err == nil && confirmed && p.options.out != "" {
		notWritten = writeNew(p.options.out, []byte(report.Profile))
		written = notWritten == nil
	}
	// A profile that could not be written is printed: the runs took long.
	printed := err == nil && !p.options.json && report.Profile != "" && !written
	p.reportResult(r, written, printed)
	if printed {
		_, err = p.Stdout.Write([]byte(report.Profile))
	}
	switch {
	case err != nil:
		return p.fail(err)
	case notWritten != nil:
		return p.fail(notWritten)
	case !confirmed:
		return exitFindings
	}
	return exitOK
}

// reportEarly reports why learn ended early, or that the program does not work.
func (p *learnPrinter) reportEarly(r *learn.Report, early error) {
	pass := &r.First
	if r.Second != nil {
		pass = r.Second
	}
	if r.SecondError != nil {
		p.line("The program cannot be started as uid %d:", r.Second.Identity.UID)
		for _, line := range launchError(r.SecondError) {
			p.line("  %s", line)
		}
	}
	switch {
	case errors.Is(early, context.Canceled):
		p.Report("learn: interrupted; caprun ended every process that it started, and the result is unconfirmed")
	case early != nil:
		for _, line := range launchError(early) {
			p.Report("learn: " + line)
		}
		if text := pass.Evidence.FileCapabilities; text != "" && pass.Evidence.UID != 0 {
			p.Report(fmt.Sprintf("learn: uid %d gets the capabilities of the program from its file (%s), exactly these; there is nothing to learn", pass.Evidence.UID, text))
		}
	case pass.State == learn.DoesNotWork:
		as := ""
		if pass == r.Second {
			as = fmt.Sprintf(", started as uid %d,", pass.Identity.UID)
		}
		p.Report("learn: the program" + as + " does not work even with every allowed capability: " + pass.Reference.Why() + "; " + doesNotWorkHint(pass, p.options))
	}
	if p.options.out != "" && (early != nil || r.Best().State != learn.Confirmed) {
		p.Report(fmt.Sprintf("learn: %s is not written: the result is not confirmed", p.options.out))
	}
}

// doesNotWorkHint returns what to do if the reference run fails twice.
func doesNotWorkHint(pass *learn.Pass, o learnOptions) string {
	switch {
	case pass.Reference.TimedOut && o.test == "":
		return "if the program does not end by itself, pass -test; if it takes longer, raise -timeout"
	case pass.Reference.TimedOut:
		return "run the test by hand; if the program takes longer, raise -timeout"
	case o.profile != "":
		return "run it with caprun -profile, and widen the base profile"
	case o.uid.given && pass.Identity == nil:
		return "learn begins with the user of caprun; if the program refuses that user, write the other one into a profile (version: 1, user: NAME) and pass it with -profile instead of -uid"
	}
	return "run the program and the test by hand"
}

// printTables prints the verdicts of each pass, and the comparison.
func (p *learnPrinter) printTables(r *learn.Report) error {
	printed := false
	for _, pass := range []*learn.Pass{&r.First, r.Second} {
		if pass == nil || pass.Evidence.Search.Runs == 0 {
			continue // nothing is known about any capability
		}
		printed = true
		p.line("")
		if err := evidence.Judge(pass.Evidence).Table(p.Stderr); err != nil {
			return err
		}
	}
	if printed {
		p.line("")
	}
	d, ok := difference(r)
	if !ok {
		return nil
	}
	if err := d.Print(p.Stderr, false); err != nil {
		return err
	}
	p.line("")
	return nil
}

// difference compares the profiles of both passes.
func difference(r *learn.Report) (d render.Difference, ok bool) {
	if r.Second == nil {
		return d, false
	}
	first, second := r.First.Plan(), r.Second.Plan()
	if first == nil || second == nil {
		return d, false
	}
	first.Profile.File = fmt.Sprintf("the profile of the start as uid %d", r.First.Evidence.UID)
	second.Profile.File = fmt.Sprintf("the profile of the start as uid %d", r.Second.Evidence.UID)
	return render.NewDifference(first, second), true
}

// learnJSON is the output of -format json, format version 1. Names and meanings do not
// change without another version; names can be added.
type learnJSON struct {
	Version int              `json:"version"` // 1
	Result  string           `json:"result"`  // "confirmed", "unconfirmed", "unstable" or "does not work"
	First   evidence.Report  `json:"first"`
	Second  *evidence.Report `json:"second,omitempty"`

	// Comparison is how much the second profile grants, compared with the first: "same",
	// "less", "more" or "not comparable"; empty if there are not two.
	Comparison string `json:"comparison,omitempty"`

	Profile string `json:"profile,omitempty"` // that of the result
}

// printJSON prints the report as one JSON object.
func (p *learnPrinter) printJSON(r *learn.Report, confirmed bool) error {
	best := r.Best()
	out := learnJSON{Version: 1, Result: best.State.String(), First: *evidence.Judge(r.First.Evidence), Profile: evidence.Judge(best.Evidence).Profile}
	if best.State == learn.Confirmed && !confirmed {
		out.Result = learn.Unconfirmed.String()
	}
	if r.Second != nil {
		out.Second = evidence.Judge(r.Second.Evidence)
	}
	if c, ok := r.Comparison(); ok {
		out.Comparison = c.Order().String()
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = p.Stdout.Write(append(sanitize.JSON(text), '\n'))
	return err
}
