package main

import (
	"fmt"
	"strings"
	"time"

	"caprun/internal/sanitize"
	"caprun/learn"
	"caprun/learn/classify"
	learnrun "caprun/learn/run"
)

// learnPrinter prints the progress and the result of learn.
type learnPrinter struct {
	*Command
	options learnOptions
	config  *learn.Config
}

// line prints one line to the standard error.
func (p *learnPrinter) line(format string, args ...any) {
	fmt.Fprintln(p.Stderr, strings.TrimRight(sanitize.Text(fmt.Sprintf(format, args...)), " "))
}

// announce prints what will be run, before the first run. effect describes the set-id bits
// and file capabilities of the program; it is empty if there are none.
func (p *learnPrinter) announce(effect string) {
	p.line("caprun runs this program many times, each time with different privilege:")
	p.line("  program  %s", shellWords(p.config.Program))
	if effect != "" {
		p.line("           %s", effect)
	}
	switch {
	case p.options.test == "":
		p.line("  test     the exit status of the program is 0")
	default:
		p.line("  test     %s", p.options.test)
	}
	if p.options.reset != "" {
		p.line("  reset    %s", p.options.reset)
	}
	p.line("  limit    %v for each run", p.options.timeout)
	p.line("")
}

// step prints one line about a run that has ended.
func (p *learnPrinter) step(s learn.Step) {
	result := "works"
	if !s.Outcome.Works {
		result = "fails: " + s.Outcome.Why()
	} else if o := s.Outcome; o.Exit != "" && (s.Reference || !o.ExitOK) {
		result += "; the program ended by itself with " + o.Exit
		if n := len(o.Output); n > 0 {
			result += ": " + o.Output[n-1]
		}
	}
	result += seen(s)
	if r := s.Outcome.Recording; r != nil && r.Lost > 0 {
		result += fmt.Sprintf("; events not recorded: %d", r.Lost)
	}
	as := ""
	if s.Identity != nil {
		as = fmt.Sprintf("as uid %d, ", s.Identity.UID)
	}
	p.line("run %d, %s%s: %s (%s)", s.Number, as, s.Purpose, result, seconds(s.Outcome.Took))
	if s.Outcome.Killed > 0 {
		what := "processes"
		if s.Outcome.Killed == 1 {
			what = "process"
		}
		p.line("  caprun killed %d %s that did not end after SIGTERM", s.Outcome.Killed, what)
	}
}

// testedAlone prints one line about a test without the program.
func (p *learnPrinter) testedAlone(r learnrun.Result) {
	result := "succeeds"
	if !r.Works {
		result = "fails: " + r.Reason
	}
	p.line("test without the program: %s (%s)", result, seconds(r.Took))
}

// seen returns what the kernel did in a run: which capabilities it denied, or which of
// many the program used.
func seen(s learn.Step) string {
	uses := classify.Summarize(s.Outcome.Recording)
	if denied := uses.Denied(); denied != 0 {
		return "; denied: " + denied.Join()
	}
	if used := uses.Strong(); used != 0 && s.Outcome.Works && used != s.Settings.Caps {
		return "; used: " + used.Join()
	}
	return ""
}

// seconds returns a duration with two digits.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// shellWords returns arguments as one line.
func shellWords(argv []string) string {
	words := make([]string, len(argv))
	for n, word := range argv {
		words[n] = word
		if word == "" || strings.ContainsAny(word, " \t\n'\"\\$`;&|<>()*?[]#~!{}") {
			words[n] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
