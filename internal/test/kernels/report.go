package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A report has the results of one machine.
type report struct {
	kernel  kernel
	release string // from the guest
	took    time.Duration
	suites  []result
	err     error // of the machine itself
}

// A result is that of one suite.
type result struct {
	suite   suite
	passed  int // top-level tests
	failed  int
	skipped []string // tests of any level, with the reason
	counted int      // what suite.count counts
	seconds int      // in the guest
	err     error    // why it failed, or nil
	output  string
}

var (
	testLine = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): `)
	failLine = regexp.MustCompile(`^ *--- FAIL: |FAIL: .*\.txtar:|^(panic|fatal error): `)
	skipLine = regexp.MustCompile(`^ *--- SKIP: (\S+)`)
)

// parse reads the guest's report. A suite that is missing or incomplete failed.
func parse(text []byte, suites []suite) report {
	var r report
	done := false
	outputs := map[string]*strings.Builder{}
	ends := map[string][2]int{} // status, seconds
	current := ""
	for line := range strings.SplitSeq(string(text), "\n") {
		mark, isMark := strings.CutPrefix(line, "@@ ")
		fields := strings.Fields(mark)
		switch {
		case isMark && len(fields) == 2 && fields[0] == "kernel" && r.release == "":
			r.release = fields[1]
		case isMark && len(fields) == 2 && fields[0] == "begin":
			current = fields[1]
			outputs[current] = &strings.Builder{}
		case isMark && len(fields) == 4 && fields[0] == "end" && fields[1] == current:
			status, errStatus := strconv.Atoi(fields[2])
			seconds, errSeconds := strconv.Atoi(fields[3])
			if errStatus == nil && errSeconds == nil {
				ends[current] = [2]int{status, seconds}
			}
			current = ""
		case isMark && mark == "done":
			done = true
		case current != "":
			outputs[current].WriteString(line + "\n")
		}
	}
	for _, s := range suites {
		res := result{suite: s}
		output := outputs[s.name]
		end, ended := ends[s.name]
		if output != nil {
			res.read(output.String())
		}
		res.seconds = end[1]
		switch {
		case output == nil:
			res.err = errors.New("did not start")
		case !ended:
			res.err = errors.New("did not end")
		case end[0] != 0:
			res.err = fmt.Errorf("status %d", end[0])
		case res.failed > 0 || res.passed == 0:
			res.err = fmt.Errorf("%d tests failed and %d passed", res.failed, res.passed)
		case res.counted < s.least:
			res.err = fmt.Errorf("%d %s, want %d", res.counted, s.count, s.least)
		}
		r.suites = append(r.suites, res)
	}
	if !done {
		r.err = errors.New("the guest did not reach its end")
	}
	return r
}

func (r *result) read(output string) {
	r.output = output
	var count *regexp.Regexp
	if r.suite.count != "" {
		count = regexp.MustCompile(`(\d+) ` + regexp.QuoteMeta(r.suite.count) + `\b`)
	}
	for line := range strings.SplitSeq(output, "\n") {
		if m := testLine.FindStringSubmatch(line); m != nil {
			switch m[1] {
			case "PASS":
				r.passed++
			case "FAIL":
				r.failed++
			}
		}
		if m := skipLine.FindStringSubmatch(line); m != nil {
			r.skipped = append(r.skipped, m[1])
		}
		if count != nil {
			if m := count.FindStringSubmatch(line); m != nil {
				n, _ := strconv.Atoi(m[1])
				r.counted += n
			}
		}
	}
}

// printTable prints a line for each suite of each machine.
func printTable(w io.Writer, reports []report) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kernel\tsuite\ttests\tskipped\tcounted\ttime\tresult")
	for _, r := range reports {
		name := r.release
		if name == "" {
			name = filepath.Base(r.kernel.image)
		}
		for _, s := range r.suites {
			counted := "-"
			if s.suite.count != "" {
				counted = fmt.Sprintf("%d %s", s.counted, strings.Fields(s.suite.count)[0])
			}
			verdict := "ok"
			if s.err != nil {
				verdict = "FAILED"
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%ds\t%s\n", name, s.suite.name, s.passed+s.failed, len(s.skipped), counted, s.seconds, verdict)
		}
		fmt.Fprintf(t, "%s\tall, with the boot\t\t\t\t%ds\t\n", name, int(r.took.Seconds()))
	}
	t.Flush()
}

// printFailures prints why a machine or a suite failed, and reports whether one
// failed.
func (r report) printFailures(w io.Writer) bool {
	failed := r.err != nil
	if r.err != nil {
		fmt.Fprintf(w, "\n%s: %v\n", filepath.Base(r.kernel.image), r.err)
	}
	if !strings.HasPrefix(r.release, r.kernel.release) {
		failed = true
		fmt.Fprintf(w, "\n%s: the guest reports Linux %q\n", filepath.Base(r.kernel.image), r.release)
	}
	for _, s := range r.suites {
		if s.err == nil {
			continue
		}
		failed = true
		fmt.Fprintf(w, "\n%s, %s: %v\n%s", r.release, s.suite.name, s.err, excerpt(s.output))
	}
	return failed
}

// excerpt returns the important part of a failed suite's output: the lines before
// each failure, or else its last lines. It has at most 200 lines.
func excerpt(output string) string {
	const before, most = 12, 200
	all := strings.SplitAfter(output, "\n")
	var lines []string
	printed := 0 // lines already printed
	for n, line := range all {
		if failLine.MatchString(line) {
			lines = append(lines, all[max(printed, n-before):n+1]...)
			printed = n + 1
		}
	}
	if lines == nil {
		lines = all[max(0, len(all)-before):]
	}
	return strings.Join(lines[:min(len(lines), most)], "")
}
