package platform

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caprun/docs/rules"
	"caprun/engine/review"
	"caprun/platform/declared"
)

var update = flag.Bool("update", false, "write the findings in the pages of the rules")

// TestPages compares the findings under Bad on the page of each rule with those of the
// example above them. The example under Good has no finding.
func TestPages(t *testing.T) {
	for _, r := range declared.Rules() {
		page, ok := rules.Page(r.Name)
		if !ok {
			t.Errorf("docs/rules/%s.md is missing", r.Name)
			continue
		}
		bad, shown := blocks(t, page, "Bad")
		found := ""
		for _, f := range findings(t, "bad", bad) {
			if f.Rule == r.Name {
				found += f.Diagnostic.String() + "\n"
				if f.Hint != "" {
					found += "  help: " + f.Hint + "\n"
				}
			}
		}
		switch {
		case found == "":
			t.Errorf("%s: no finding for the example under Bad", r.Name)
		case found == shown:
		case *update:
			file := filepath.Join("..", "docs", "rules", r.Name+".md")
			text := strings.Replace(page, "```text\n"+shown+"```", "```text\n"+found+"```", 1)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s: the findings under Bad are\n%s\nbut the page has\n%s\nwrite it with: go test ./platform -run Pages -update", r.Name, found, shown)
		}
		good, _ := blocks(t, page, "Good")
		if found := findings(t, "good", good); len(found) > 0 {
			t.Errorf("%s: the findings under Good are %v", r.Name, found)
		}
	}
}

// example is a block with its kind.
type example struct{ kind, text string }

// blocks returns the example of a section, and the text below it.
func blocks(t *testing.T, page, section string) (e example, shown string) {
	t.Helper()
	_, rest, _ := strings.Cut(page, "\n## "+section+"\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	all := regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$").FindAllStringSubmatch(rest, -1)
	for _, m := range all {
		if m[1] == "text" {
			shown = m[2]
		} else {
			e = example{m[1], m[2]}
		}
	}
	if e.kind == "" {
		t.Fatalf("no example under %s", section)
	}
	return e, shown
}

// findings returns what check and import report about an example.
func findings(t *testing.T, name string, e example) []review.Finding {
	t.Helper()
	file := name + map[string]string{"ini": ".service", "yaml": ".yaml", "json": ".json", "conf": ".service.d/x.conf"}[e.kind]
	kind := Detect(file, []byte(e.text))
	if kind == Profile {
		t.Fatalf("%s: not a file of another platform", file)
	}
	in := Input{Kind: kind, File: declared.File{Name: file, Text: []byte(e.text)}, LaunchedProfile: builtin}
	var found []review.Finding
	for _, r := range in.Check(review.Options{}) {
		found = append(found, r.Findings...)
	}
	documents, _ := in.Documents()
	for _, d := range documents {
		for _, f := range Losses(d) {
			found = append(found, review.Finding{Diagnostic: f})
		}
	}
	return found
}
