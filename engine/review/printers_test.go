package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/sanitize"
	"caprun/policy"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

var updatePrinters = flag.Bool("update-printers", false, "rewrite what the printers are expected to print")

// printers returns the formats by name.
func printers() map[string]func(io.Writer, iter.Seq[Report]) error {
	return map[string]func(io.Writer, iter.Seq[Report]) error{
		"human":        func(w io.Writer, r iter.Seq[Report]) error { return Human(w, r, false) },
		"human.colour": func(w io.Writer, r iter.Seq[Report]) error { return Human(w, r, true) },
		"oneline":      Oneline,
		"json":         JSON,
		"sarif":        func(w io.Writer, r iter.Seq[Report]) error { return SARIF(w, r, "v1.2.3") },
		"github":       GitHub,
	}
}

// quickPrinters returns printers whose SARIF log has only a few rules: printing all
// rules in each log would take most of the time.
func quickPrinters() map[string]func(io.Writer, iter.Seq[Report]) error {
	formats := printers()
	formats["sarif"] = func(w io.Writer, r iter.Seq[Report]) error { return sarifLog(w, r, "1.2.3", Rules()[:2]) }
	return formats
}

// fixedReports returns reports with all kinds of findings.
func fixedReports() []Report {
	const text = "version: 1\n" +
		"name: \"名前 🦊\"  # cafe\u0301 x\n" +
		"uid: 33\r\n" +
		"groups:\n" +
		"  - 1\n" +
		"caps: cap_chown=ep\n" +
		"na\x1b[31mme: \u202e ##[error]evil\n"
	long := "iab: \"" + strings.Repeat("^cap_chown,", 60) + "名\u0301, bad" + strings.Repeat(",!cap_kill", 40) + "\"\n"
	at := func(line, column, endLine, endColumn int) policy.Position {
		return policy.Position{Line: line, Column: column, EndLine: endLine, EndColumn: endColumn}
	}
	find := func(file string, p policy.Position, s policy.Severity, rule, message, hint string) Finding {
		return Finding{Diagnostic: policy.Diagnostic{File: file, Position: p, Severity: s, Rule: rule, Message: message, Hint: hint}}
	}
	suppressed := find("a.yaml", at(3, 6, 3, 8), policy.Warning, "no-new-privs-missing", "no_new_privs is not set", "add no_new_privs: true")
	suppressed.Suppressed = &Suppression{Position: at(5, 3, 5, 6), Reason: "needs sudo \x07", Until: "2027-01-31"}
	unlimited := find("a.yaml", at(6, 7, 6, 19), policy.Info, "terminal-kept", "kept", "")
	unlimited.Suppressed = &Suppression{Position: at(5, 3, 5, 6), Reason: "meant"}
	unlimited.Caps = cred.CapsOf(cred.SETPCAP).With(cred.CHOWN)
	wide := find("::error file=x::y.yaml", at(1, 1, 1, 2), policy.Warning, "bounding-wider", "a file that begins like a command", "")
	wide.Caps = cred.CapsOf(cred.SETUID)
	return []Report{
		{File: "a.yaml", Source: []byte(text), Findings: []Finding{
			find("a.yaml", policy.Position{}, policy.Error, "unknown-key", "no place at all", ""),
			find("a.yaml", at(2, 7, 2, 13), policy.Error, "bad-name", "a wide name", "write {ascii} [here](https://example.org)"),
			find("a.yaml", at(2, 23, 2, 24), policy.Warning, "no-new-privs-missing", "behind a mark that combines", "100%, sure: yes"),
			suppressed,
			find("a.yaml", at(4, 1, 5, 6), policy.Info, "terminal-kept", "several lines", "one\ntwo"),
			unlimited,
			find("a.yaml", at(7, 1, 7, 12), policy.Error, "unknown-key", "a key with \x1b[31m colour and \u202e\U000e0041 ::error::x", ""),
			find("a.yaml", at(7, 9, 0, 0), policy.Error, "unknown-key", "a place without an end", ""),
			find("a.yaml", at(99, 1, 99, 2), policy.Error, "not-in-the-table", "beyond the end", ""),
		}},
		{File: "clean.yaml", Source: []byte("version: 1\n")},
		{File: "sub dir/::set-env name=X::\xff,y.yaml", Source: []byte(long), Findings: []Finding{
			find("sub dir/::set-env name=X::\xff,y.yaml", at(1, 670, 1, 673), policy.Error, "bad-name", "far to the right", ""),
			find("sub dir/::set-env name=X::\xff,y.yaml", at(1, 6, 1, 1000), policy.Error, "bad-name", "the whole value", ""),
		}},
		{File: "::error file=x::y.yaml", Findings: []Finding{wide}},
	}
}

func run(t testing.TB, name string, reports []Report) string {
	t.Helper()
	return printed(t, printers()[name], reports)
}

func printed(t testing.TB, print func(io.Writer, iter.Seq[Report]) error, reports []Report) string {
	t.Helper()
	var b strings.Builder
	if err := print(&b, slices.Values(reports)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPrinters compares each format with its golden file, for SARIF without the
// rules and their indexes.
func TestPrinters(t *testing.T) {
	for name := range printers() {
		got := run(t, name, fixedReports())
		if again := run(t, name, fixedReports()); again != got {
			t.Errorf("%s prints different output the second time", name)
		}
		if name == "sarif" {
			got = regexp.MustCompile(`"rules":.*\n`).ReplaceAllString(got, "\"rules\":[]}},\n")
			got = regexp.MustCompile(`"ruleIndex":\d+,`).ReplaceAllString(got, "")
		}
		path := filepath.Join("testdata", "printers", name+".golden")
		if *updatePrinters {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s prints\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestExcerpt checks that carets count terminal cells while columns count characters.
func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		line            string
		column, end     int
		printed, carets string
	}{
		{"uid: 33", 6, 8, "uid: 33", "     ^^"},
		{"uid: 33", 8, 8, "uid: 33", "       ^"},
		{"\tuid: 33\r", 2, 5, " uid: 33", " ^^^"},
		{"x: 名前 y", 4, 6, "x: 名前 y", "   ^^^^"},
		{"x: 名前 y", 7, 8, "x: 名前 y", "        ^"},
		{"🦊🦊 y", 4, 5, "🦊🦊 y", "     ^"},
		{"e\u0301e\u0301 y", 6, 7, "e\u0301e\u0301 y", "   ^"},
		{"e\u0301e\u0301 y", 1, 5, "e\u0301e\u0301 y", "^^"},
		{"\u1112\u1161\u11ab y", 5, 6, "\u1112\u1161\u11ab y", "   ^"},
		{"ｆｕｌｌ ﾊﾝ x", 9, 10, "ｆｕｌｌ ﾊﾝ x", "            ^"},
		{"a\u200db\u00adc x", 7, 8, "a?b?c x", "      ^"},
		{"a\x1b[0m ##[x] y", 13, 14, "a?[0m ##?x] y", "            ^"},
		{strings.Repeat("a", 160), 160, 161, strings.Repeat("a", 160), strings.Repeat(" ", 159) + "^"},
		{strings.Repeat("a", 100) + "B" + strings.Repeat("c", 200), 101, 102,
			"..." + strings.Repeat("a", 50) + "B" + strings.Repeat("c", 103) + "...", strings.Repeat(" ", 53) + "^"},
		{strings.Repeat("名", 100) + "B", 101, 102, "..." + strings.Repeat("名", 25) + "B", strings.Repeat(" ", 53) + "^"},
		{strings.Repeat("e\u0301", 200) + "B", 401, 402, "..." + strings.Repeat("e\u0301", 50) + "B", strings.Repeat(" ", 53) + "^"},
		{"ab" + strings.Repeat("名", 100), 1, 400, "ab" + strings.Repeat("名", 76) + "...", strings.Repeat("^", 154)},
	} {
		var b strings.Builder
		e := excerpts{source: []byte(c.line)}
		e.print(&b, policy.Position{Line: 1, Column: c.column, EndLine: 1, EndColumn: c.end})
		want := "   1 | " + c.printed + "\n     | " + c.carets + "\n"
		if b.String() != want {
			t.Errorf("%q %d-%d: got\n%swant\n%s", c.line, c.column, c.end, b.String(), want)
		}
	}
}

func TestWideRangesAreSorted(t *testing.T) {
	for n, w := range wideRanges {
		if w[0] > w[1] || n > 0 && wideRanges[n-1][1] >= w[0] {
			t.Errorf("%#x", w)
		}
	}
}

func TestTotals(t *testing.T) {
	for want, c := range map[string]Totals{
		"": {Files: 12},
		"1 error, 2 warnings in 3 of 12 files (1 suppressed)": {Files: 12, FilesWithFindings: 3, Errors: 1, Warnings: 2, Suppressed: 1},
		"2 errors in 1 file":                                {Files: 1, FilesWithFindings: 1, Errors: 2},
		"1 warning, 1 info in 2 of 2 files":                 {Files: 2, FilesWithFindings: 2, Warnings: 1, Infos: 1},
		"no unsuppressed findings in 1 file (3 suppressed)": {Files: 1, Suppressed: 3},
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := run(t, "human", []Report{{File: "a"}, {File: "b"}}); got != "" {
		t.Errorf("human prints %q without findings", got)
	}
}

// TestJSON reads what JSON prints.
func TestJSON(t *testing.T) {
	var got struct {
		Version  int
		Findings []jsonFinding
		Totals   Totals
	}
	d := json.NewDecoder(strings.NewReader(run(t, "json", fixedReports())))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	var want Totals
	n := 0
	for _, r := range fixedReports() {
		want.Add(r)
		for _, f := range r.Findings {
			if j := got.Findings[n]; j.Message != f.Message || j.File != strings.ToValidUTF8(f.File, "\ufffd") || (j.Suppressed == nil) != (f.Suppressed == nil) || !slices.Equal(j.Caps, f.Caps.Names()) {
				t.Errorf("finding %d: got %+v, want %+v", n, j, f)
			}
			n++
		}
	}
	if got.Version != 1 || got.Totals != want || n != len(got.Findings) || want.Files != 4 || want.Errors != 7 || want.Suppressed != 2 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if empty := run(t, "json", nil); !json.Valid([]byte(empty)) || !strings.Contains(empty, `"findings": [`) {
		t.Errorf("without files: %s", empty)
	}
}

// sarifSchemaFile compiles the schema from the file and loads nothing else.
func sarifSchemaFile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.LoadURL = func(url string) (io.ReadCloser, error) { return nil, errors.New("nothing is loaded: " + url) }
	if err := c.AddResource(sarifSchema, bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(sarifSchema)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validSARIF(t testing.TB, s *jsonschema.Schema, text string) map[string]any {
	t.Helper()
	var log map[string]any
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if err := s.Validate(log); err != nil {
		t.Fatalf("%#v: %s", err, text)
	}
	return log
}

// TestSARIF validates logs with the published schema, and checks the additional
// requirements of GitHub code scanning.
func TestSARIF(t *testing.T) {
	schema := sarifSchemaFile(t)
	validSARIF(t, schema, run(t, "sarif", nil))
	text := run(t, "sarif", fixedReports())
	validSARIF(t, schema, text)
	if err := schema.Validate(map[string]any{"version": "2.1.0"}); err == nil {
		t.Error("the schema accepts a log without runs")
	}

	var log struct {
		Runs []struct {
			Tool struct {
				Driver sarifTool
			}
			ColumnKind string
			Results    []sarifResult
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if d := run.Tool.Driver; d.Name != "caprun" || d.Version != "1.2.3" || d.SemanticVersion != "1.2.3" || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("driver %s %s %s, columns %s", d.Name, d.Version, d.SemanticVersion, run.ColumnKind)
	}
	rules := Rules()
	if len(run.Tool.Driver.Rules) != len(rules) {
		t.Fatalf("%d rules of %d", len(run.Tool.Driver.Rules), len(rules))
	}
	for n, r := range run.Tool.Driver.Rules {
		if r.ID != rules[n].Name || r.Name == r.ID || r.Name == "" || r.ShortDescription.Text != rules[n].Summary || r.FullDescription.Text == "" ||
			len(r.FullDescription.Text) > 4*maxRuleText || r.Help.Text == "" || r.Help.Markdown == "" || r.DefaultConfiguration.Level != sarifLevel(rules[n].Severity) ||
			len(r.Properties.Tags) == 0 || r.Properties.Precision == "" || r.Properties.ProblemSeverity == "" {
			t.Errorf("rule %d lacks something: %+v", n, r)
		}
	}
	for n, r := range run.Results {
		if r.RuleID != "not-in-the-table" && (r.RuleIndex == nil || rules[*r.RuleIndex].Name != r.RuleID) {
			t.Errorf("result %d: rule %s is not at its index", n, r.RuleID)
		}
		at := r.Locations[0].PhysicalLocation
		if r.Message.Text == "" || at.ArtifactLocation.URI == "" || at.Region.StartLine < 1 || at.Region.StartColumn < 1 || at.Region.EndLine < at.Region.StartLine ||
			at.Region.EndLine == at.Region.StartLine && at.Region.EndColumn < at.Region.StartColumn {
			t.Errorf("result %d: %+v", n, r)
		}
	}
}

// TestSection extracts descriptions of a rule from its page.
func TestSection(t *testing.T) {
	const page = "# x\n\n**Warning.** Sum.\n\n## Why\n\nOne line\nand another.\n\nMore.\n\n## Bad\n\n```yaml\nversion: 1\n```\n\n## Fix\n"
	for heading, want := range map[string]string{"Why": "One line and another.", "Bad": "", "Fix": "", "Nowhere": ""} {
		if got := section(page, heading); got != want {
			t.Errorf("%s: %q", heading, got)
		}
	}
	if got := short(strings.Repeat("é", 2000)); got != strings.Repeat("é", 1021)+"..." {
		t.Errorf("%d characters are left", len([]rune(got)))
	}
}

func TestArtifact(t *testing.T) {
	for file, want := range map[string]sarifArtifact{
		"a/b.yaml":       {"a/b.yaml", "%SRCROOT%"},
		"./a//b.yaml":    {"a/b.yaml", "%SRCROOT%"},
		"../b.yaml":      {"../b.yaml", "%SRCROOT%"},
		"a b#?%:é\xff":   {"a%20b%23%3F%25%3A%C3%A9%FF", "%SRCROOT%"},
		"builtin:web":    {"builtin%3Aweb", "%SRCROOT%"},
		"/etc/a b.yaml":  {"file:///etc/a%20b.yaml", ""},
		"javascript:x()": {"javascript%3Ax%28%29", "%SRCROOT%"},
	} {
		if got := artifact(file); got != want {
			t.Errorf("%q: got %+v, want %+v", file, got, want)
		}
	}
}

func TestSemantic(t *testing.T) {
	for version, want := range map[string]bool{
		"1.2.3": true, "0.1.0": true, "1.2.3-rc.1": true,
		"": false, "1.2": false, "(devel)": false, "1.2.3-": false, "01.2.3": false, "1.2.x": false, "1.2.3-4_5": false, "v1.2.3": false,
	} {
		if got := semantic(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

// TestSanitize checks that nothing is left that a terminal or a CI system interprets.
func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"名 é e\u0301":              "名 é e\u0301",
		"a\tb":                     "a b",
		"\x00\x1b\x7f\u0085\u009b": "?????",
		"\u202e\u2066\u200f\u061c": "????",
		"\u2028\u2029\u200b\ufeff\u00ad\U000e0041": "??????",
		"\xff\xfe":               "??",
		"##[set-env name=A]b":    "##?set-env name=A]b",
		"a ###[x] ##vso[y] ##Z[": "a ###?x] ##vso?y] ##Z?",
		"## [x] ##1[ #[":         "## [x] ##1[ #[",
		"##\x01[x]":              "##?[x]",
		"##a##[":                 "##a##?",
	} {
		if got := sanitize.Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"::error::x": "./::error::x", " \u3000::x": "./ \u3000::x", "a::x": "a::x", ":x": ":x", ":": "./:", " :": "./ :",
	} {
		if got := sanitize.Line(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// failingWriter accepts some bytes and then fails.
type failingWriter struct{ left int }

var errFull = errors.New("full")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestPrintersReportWriteErrors makes writing fail after various numbers of bytes.
func TestPrintersReportWriteErrors(t *testing.T) {
	for name, print := range printers() {
		whole := len(run(t, name, fixedReports()))
		for left := 0; left < whole; left += 1 + whole/50 {
			if err := print(&failingWriter{left}, slices.Values(fixedReports())); !errors.Is(err, errFull) {
				t.Errorf("%s after %d of %d bytes: %v", name, left, whole, err)
			}
		}
	}
}

// TestPrintersStream checks that each report is printed before the next is read.
func TestPrintersStream(t *testing.T) {
	for name, print := range printers() {
		var b strings.Builder
		report := fixedReports()[0]
		size := 0
		err := print(&b, func(yield func(Report) bool) {
			for range 3 {
				if !yield(report) {
					return
				}
				if b.Len() <= size {
					t.Errorf("%s has printed nothing about a report", name)
				}
				size = b.Len()
			}
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
