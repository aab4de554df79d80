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
	"caprun/policy"
)

var update = flag.Bool("update", false, "write the generated parts of the pages")

var pagesDir = filepath.Join("..", "..", "docs", "rules")

const catalogue = "README"

// pageDay is the day on which the examples are checked.
var pageDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestPages holds the page of each rule: its headings, that it says what the
// table says, and that its examples do what it says they do. With -update it
// writes the summary and the findings under Bad.
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
			t.Errorf("nothing stands below %s", heading)
		}
	}
	if want := suppressText(t, r, p); !strings.HasPrefix(strings.TrimSpace(p.sections["Suppress"]), want) {
		t.Errorf("Suppress does not begin with\n%s", want)
	}
	checkExamples(t, r, p)
}

// checkLead compares the text below the title with the summary of the rule. With
// -update it writes that text.
func checkLead(t *testing.T, r policy.Rule, p page) {
	severity := r.Severity.String()
	want := "**" + strings.ToUpper(severity[:1]) + severity[1:] + ".** " + r.Summary
	switch {
	case strings.Join(strings.Fields(p.lead), " ") == want:
	case *update:
		rewritePage(t, r.Name, "\n"+p.lead+"\n", "\n"+wrap(want, 80)+"\n")
	default:
		t.Errorf("below the title stands\n%s\nwant\n%s\nwrite it with: go test ./engine/review -run Pages -update", p.lead, want)
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

// suppressText says how a finding is accepted, if it can be.
func suppressText(t *testing.T, r policy.Rule, p page) string {
	only := ""
	switch {
	case r.Severity == policy.Error:
		return "An error cannot be suppressed."
	case strings.HasPrefix(r.Name, "suppression-"):
		return "A finding about a suppression cannot be suppressed."
	case vectorOf(r.Name) != nil:
		if names := capsFound(t, r, p).Names(); len(names) <= mostListed {
			only = "caps: [" + strings.Join(names, ", ") + "], "
		}
	}
	return "```yaml\nlint:\n  ignore:\n    - {rule: " + r.Name + ", " + only + "reason: \"why this is meant\"}\n```"
}

// capsFound returns what the rule finds in the example under Bad.
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

// TestSuppressBlocks: with what stands under Suppress, nothing that the rule
// finds in the example under Bad counts, and nothing is said of the entry.
func TestSuppressBlocks(t *testing.T) {
	tried := 0
	for _, r := range Rules() {
		text, _ := rules.Page(r.Name)
		p := readPage(t, text)
		if r.Severity == policy.Error || strings.HasPrefix(r.Name, "suppression-") || !isRisk(r.Name) {
			continue
		}
		tried++
		bad := p.blocks(t, "Bad")[0].text + p.blocks(t, "Suppress")[0].text
		accepted := 0
		for _, f := range Check(r.Name, []byte(bad), Options{Today: pageDay}).Findings {
			switch {
			case f.Suppressed != nil:
				accepted++
			case f.Rule == r.Name || strings.HasPrefix(f.Rule, "suppression-") || f.Severity == policy.Error:
				t.Errorf("%v in\n%s", f.Diagnostic, bad)
			}
		}
		if accepted == 0 {
			t.Errorf("%s: nothing is accepted in\n%s", r.Name, bad)
		}
	}
	if tried < 20 {
		t.Errorf("%d rules", tried)
	}
}

// checkExamples finds what the blocks under Bad and Good give.
func checkExamples(t *testing.T, r policy.Rule, p page) {
	s := scenes()[r.Name]
	for _, words := range s.says {
		if !strings.Contains(p.sections["Bad"], words) {
			t.Errorf("Bad does not say how it comes about: %s", words)
		}
	}
	bad, good := p.blocks(t, "Bad"), p.blocks(t, "Good")
	if s.unseen {
		if len(bad)+len(good) > 0 {
			t.Error("there are examples that nothing checks")
		}
		return
	}
	o := Options{Today: pageDay}
	if slices.Contains(p.headings, "Ceiling") {
		ceiling := p.blocks(t, "Ceiling")
		if !slices.Equal(kinds(ceiling), []string{"yaml"}) {
			t.Fatal("Ceiling has not one yaml block")
		}
		profile, found := policy.Parse("ceiling.yaml", []byte(ceiling[0].text))
		if profile == nil {
			t.Fatalf("the ceiling: %v", found)
		}
		if o.Ceiling, found = explain(profile); o.Ceiling == nil {
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
		t.Errorf("what stands under Bad gives no finding of this rule: %v", find("bad.yaml", source))
	case findings.String() == shown:
	case *update:
		rewritePage(t, r.Name, "```text\n"+shown+"```", "```text\n"+findings.String()+"```")
	default:
		t.Errorf("what stands under Bad gives\n%s\nand the page shows\n%s\nwrite it with: go test ./engine/review -run Pages -update", findings.String(), shown)
	}

	if !slices.Equal(kinds(good), []string{"yaml"}) {
		t.Fatal("Good has not one yaml block")
	}
	if found := find("good.yaml", good[0].text); len(found) > 0 {
		t.Errorf("what stands under Good gives %v", found)
	}
}

// TestNoStrayPages: each file belongs to a rule, or is the catalogue.
func TestNoStrayPages(t *testing.T) {
	for _, name := range pageNames(t) {
		if name != catalogue && !isRule(name) {
			t.Errorf("docs/rules/%s.md is about no rule", name)
		}
	}
	for name := range scenes() {
		if !isRule(name) {
			t.Errorf("there is a scene for %s, and no such rule", name)
		}
	}
}

// TestPageLinks follows the links from page to page, and to other files.
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
				t.Errorf("%s.md links to %s, which is not there", name, to)
			}
			if to == name+".md" {
				t.Errorf("%s.md links to itself", name)
			}
		}
	}
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

// A page is the page of a rule in parts.
type page struct {
	title, lead string
	headings    []string
	sections    map[string]string
}

// A block is what stands between two fences.
type block struct{ kind, text string }

func kinds(blocks []block) []string {
	var kinds []string
	for _, b := range blocks {
		kinds = append(kinds, b.kind)
	}
	return kinds
}

// readPage splits a page at its headings. What looks like one within a block
// is a comment of YAML.
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
