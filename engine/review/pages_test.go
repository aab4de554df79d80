package review

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"caprun/docs/rules"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

var update = flag.Bool("update", false, "write the generated parts of the pages")

var pagesDir = filepath.Join("..", "..", "docs", "rules")

const catalogue = "README"

// pageDay is the day on which the examples are checked.
var pageDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestPages checks the page of each rule: its headings, its summary, and the findings
// of its examples. With -update it writes the summary and the findings.
func TestPages(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) { checkPage(t, r) })
	}
}

func checkPage(t *testing.T, r policy.Rule) {
	text, ok := rules.Page(r.Name)
	if !ok {
		t.Fatalf("docs/rules/%s.md is missing", r.Name)
	}
	p := readPage(t, text)
	if p.title != r.Name {
		t.Errorf("the title is %q", p.title)
	}
	checkLead(t, r, p)
	headings := []string{"Why", "Bad", "Good", "Fix", "Suppress", "See also"}
	if slices.Contains(p.headings, "Ceiling") {
		headings = slices.Insert(headings, 1, "Ceiling")
	}
	if !slices.Equal(p.headings, headings) {
		t.Fatalf("the headings are %q, want %q", p.headings, headings)
	}
	for _, heading := range headings {
		if strings.TrimSpace(p.sections[heading]) == "" {
			t.Errorf("%s is empty", heading)
		}
	}
	if isPlatformRule(r.Name) {
		// Package platform checks the examples.
		if want := "A finding about a file of another platform cannot be suppressed."; !strings.HasPrefix(strings.TrimSpace(p.sections["Suppress"]), want) {
			t.Errorf("Suppress does not begin with %q", want)
		}
		return
	}
	if want := suppressText(t, r, p); !strings.HasPrefix(strings.TrimSpace(p.sections["Suppress"]), want) {
		t.Errorf("Suppress does not begin with\n%s", want)
	}
	checkExamples(t, r, p)
}

// checkLead compares the text below the title with the summary of the rule.
func checkLead(t *testing.T, r policy.Rule, p page) {
	severity := r.Severity.String()
	want := "**" + strings.ToUpper(severity[:1]) + severity[1:] + ".** " + r.Summary
	switch {
	case strings.Join(strings.Fields(p.lead), " ") == want:
	case *update:
		rewritePage(t, r.Name, "\n"+p.lead+"\n", "\n"+wrap(want, 80)+"\n")
	default:
		t.Errorf("the summary is\n%s\nwant\n%s\nwrite it with: go test ./engine/review -run Pages -update", p.lead, want)
	}
}

// rewritePage replaces the first occurrence of old in the page of a rule.
func rewritePage(t *testing.T, rule, old, replacement string) {
	t.Helper()
	file := filepath.Join(pagesDir, rule+".md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, replacement, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wrap breaks a text into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch n := utf8.RuneCountInString(word); {
		case column == 0:
			column = n
		case column+1+n > width:
			b.WriteByte('\n')
			column = n
		default:
			b.WriteByte(' ')
			column += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}

// suppressText returns how the section Suppress begins.
func suppressText(t *testing.T, r policy.Rule, p page) string {
	only := ""
	switch {
	case r.Severity == policy.Error:
		return "An error cannot be suppressed."
	case strings.HasPrefix(r.Name, "suppression-"):
		return "A finding about a suppression cannot be suppressed."
	case capSetOf(r.Name) != nil:
		if names := capsFound(t, r, p).Names(); len(names) <= maxListed {
			only = "caps: [" + strings.Join(names, ", ") + "], "
		}
	}
	return "```yaml\nlint:\n  ignore:\n    - {rule: " + r.Name + ", " + only + "reason: \"why this is intended\"}\n```"
}

// capsFound returns the capabilities that the rule reports for the example under Bad.
func capsFound(t *testing.T, r policy.Rule, p page) cred.Caps {
	t.Helper()
	var caps cred.Caps
	for _, f := range Check("bad.yaml", []byte(p.blocks(t, "Bad")[0].text), Options{Today: pageDay}).Findings {
		if f.Rule == r.Name {
			caps = caps.Union(f.Caps)
		}
	}
	return caps
}

// TestSuppressBlocks checks that the entry under Suppress suppresses every finding of
// the rule for the example under Bad, and that nothing is reported about the entry.
func TestSuppressBlocks(t *testing.T) {
	rulesTried := 0
	for _, r := range Rules() {
		text, _ := rules.Page(r.Name)
		p := readPage(t, text)
		if r.Severity == policy.Error || strings.HasPrefix(r.Name, "suppression-") || !isRisk(r.Name) {
			continue
		}
		rulesTried++
		bad := p.blocks(t, "Bad")[0].text + p.blocks(t, "Suppress")[0].text
		suppressed := 0
		for _, f := range Check(r.Name, []byte(bad), Options{Today: pageDay}).Findings {
			switch {
			case f.Suppressed != nil:
				suppressed++
			case f.Rule == r.Name || strings.HasPrefix(f.Rule, "suppression-") || f.Severity == policy.Error:
				t.Errorf("%v in\n%s", f.Diagnostic, bad)
			}
		}
		if suppressed == 0 {
			t.Errorf("%s: nothing is suppressed in\n%s", r.Name, bad)
		}
	}
	if rulesTried < 20 {
		t.Errorf("only %d rules", rulesTried)
	}
}

// checkExamples checks the examples under Bad and Good.
func checkExamples(t *testing.T, r policy.Rule, p page) {
	s := pageSetups()[r.Name]
	for _, words := range s.mentions {
		if !strings.Contains(p.sections["Bad"], words) {
			t.Errorf("Bad does not mention %s", words)
		}
	}
	bad, good := p.blocks(t, "Bad"), p.blocks(t, "Good")
	if s.notShown {
		if len(bad)+len(good) > 0 {
			t.Error("the page has examples, but the rule has no setup for them")
		}
		return
	}
	o := Options{Today: pageDay}
	if slices.Contains(p.headings, "Ceiling") {
		ceiling := p.blocks(t, "Ceiling")
		if !slices.Equal(kinds(ceiling), []string{"yaml"}) {
			t.Fatal("Ceiling does not have exactly one yaml block")
		}
		profile, found := policy.Parse("ceiling.yaml", []byte(ceiling[0].text))
		if profile == nil {
			t.Fatalf("the ceiling: %v", found)
		}
		if o.Ceiling, found = compileForRoot(profile); o.Ceiling == nil {
			t.Fatalf("the ceiling: %v", found)
		}
	}
	find := func(name, text string) []policy.Diagnostic {
		var found []policy.Diagnostic
		for _, f := range Check(name, []byte(text), o).Findings {
			if f.Suppressed == nil {
				found = append(found, f.Diagnostic)
			}
		}
		if s.find == nil || policy.HasErrors(found) {
			return found
		}
		profile, _ := policy.Parse(name, []byte(text))
		return append(found, s.find(profile)...)
	}

	var source string
	want := []string{"yaml", "text"}
	if s.source != nil {
		want, source = want[1:], s.source()
	}
	if !slices.Equal(kinds(bad), want) {
		t.Fatalf("Bad has the blocks %q, want %q", kinds(bad), want)
	}
	if s.source == nil {
		source = bad[0].text
	}
	var findings strings.Builder
	for _, d := range find("bad.yaml", source) {
		if d.Rule != r.Name {
			continue
		}
		findings.WriteString(d.String() + "\n")
		if d.Hint != "" {
			findings.WriteString("  help: " + d.Hint + "\n")
		}
	}
	shown := bad[len(bad)-1].text
	switch {
	case findings.Len() == 0:
		t.Errorf("the rule does not report the example under Bad: %v", find("bad.yaml", source))
	case findings.String() == shown:
	case *update:
		rewritePage(t, r.Name, "```text\n"+shown+"```", "```text\n"+findings.String()+"```")
	default:
		t.Errorf("the findings under Bad are\n%s\nbut the page has\n%s\nwrite it with: go test ./engine/review -run Pages -update", findings.String(), shown)
	}

	if !slices.Equal(kinds(good), []string{"yaml"}) {
		t.Fatal("Good does not have exactly one yaml block")
	}
	if found := find("good.yaml", good[0].text); len(found) > 0 {
		t.Errorf("the findings under Good are %v", found)
	}
}

// TestNoStrayPages checks that each file belongs to a rule or is the catalogue.
func TestNoStrayPages(t *testing.T) {
	for _, name := range pageNames(t) {
		if name != catalogue && !isRule(name) {
			t.Errorf("docs/rules/%s.md: unknown rule", name)
		}
	}
	for name := range pageSetups() {
		if !isRule(name) {
			t.Errorf("there is a setup for %s, which is not a rule", name)
		}
	}
}

// TestPageLinks checks that links lead to existing files.
func TestPageLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	for _, name := range pageNames(t) {
		text, _ := rules.Page(name)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to := m[1]
			if to == "" || strings.HasPrefix(to, "https://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(pagesDir, to)); err != nil || filepath.IsAbs(to) {
				t.Errorf("%s.md links to %s, which does not exist", name, to)
			}
			if to == name+".md" {
				t.Errorf("%s.md links to itself", name)
			}
		}
	}
}

func isPlatformRule(name string) bool {
	return slices.ContainsFunc(declared.Rules(), func(r policy.Rule) bool { return r.Name == name })
}

func isRule(name string) bool {
	return slices.ContainsFunc(Rules(), func(r policy.Rule) bool { return r.Name == name })
}

func pageNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pagesDir, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".md"))
	}
	return names
}

// A page is the page of a rule, split into sections.
type page struct {
	title, lead string
	headings    []string
	sections    map[string]string
}

// A block is a fenced code block.
type block struct{ kind, text string }

func kinds(blocks []block) []string {
	var kinds []string
	for _, b := range blocks {
		kinds = append(kinds, b.kind)
	}
	return kinds
}

// readPage splits a page at its headings. "#" inside a block is a YAML comment.
func readPage(t *testing.T, text string) page {
	t.Helper()
	p := page{sections: map[string]string{}}
	var section strings.Builder
	end := func() {
		if n := len(p.headings); n > 0 {
			p.sections[p.headings[n-1]] = section.String()
		} else {
			p.lead = strings.TrimSpace(section.String())
		}
		section.Reset()
	}
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		bare := strings.TrimSuffix(line, "\n")
		heading, isHeading := strings.CutPrefix(bare, "## ")
		title, isTitle := strings.CutPrefix(bare, "# ")
		switch {
		case !fenced && isHeading:
			end()
			p.headings = append(p.headings, heading)
		case !fenced && isTitle && p.title == "":
			p.title = title
		default:
			section.WriteString(line)
		}
	}
	end()
	if fenced {
		t.Error("a block is not closed")
	}
	return p
}

// blocks returns the fenced blocks of a section.
func (p page) blocks(t *testing.T, section string) []block {
	t.Helper()
	var blocks []block
	open := false
	for line := range strings.Lines(p.sections[section]) {
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !open:
			blocks = append(blocks, block{kind: strings.TrimSpace(kind)})
			open = true
		case fence:
			open = false
		case open:
			blocks[len(blocks)-1].text += line
		}
	}
	return blocks
}
