package review

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"caprun/docs/rules"
	"caprun/internal/sanitize"
	"caprun/policy"
)

// sarifSchema is the $id of the schema of SARIF 2.1.0 with errata 01.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// maxRuleText is the number of characters of a description that GitHub shows.
const maxRuleText = 1024

type sarifText struct {
	Text string `json:"text"`
}

type sarifTool struct {
	Name            string      `json:"name"`
	Version         string      `json:"version,omitempty"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	Help             struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	} `json:"help"`
	DefaultConfiguration struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
	Properties struct {
		Tags            []string `json:"tags"`
		Precision       string   `json:"precision"`
		ProblemSeverity string   `json:"problem.severity"`
	} `json:"properties"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    *int               `json:"ruleIndex,omitempty"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   *sarifCaps         `json:"properties,omitempty"`
}

type sarifCaps struct {
	Capabilities []string `json:"capabilities"`
}

type sarifLocation struct {
	PhysicalLocation struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	} `json:"physicalLocation"`
}

type sarifArtifact struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

type sarifSuppression struct {
	Kind          string        `json:"kind"`
	Justification string        `json:"justification"`
	Location      sarifLocation `json:"location"`
	Properties    *sarifUntil   `json:"properties,omitempty"`
}

type sarifUntil struct {
	Until string `json:"until"`
}

// SARIF prints a SARIF 2.1.0 log with one run of the given version of caprun: every
// rule, and every finding, suppressed or not. A finding without a position is at
// the beginning of its file. Columns count characters.
func SARIF(w io.Writer, reports iter.Seq[Report], version string) error {
	return sarifLog(w, reports, version, Rules())
}

func sarifLog(w io.Writer, reports iter.Seq[Report], version string, all []policy.Rule) error {
	// SARIF readers compare versions, and expect a number first.
	version = sanitize.Text(strings.TrimPrefix(version, "v"))
	tool := sarifTool{Name: "caprun", Version: version, Rules: make([]sarifRule, 0, len(all))}
	if semantic(version) {
		tool.SemanticVersion = version
	}
	index := make(map[string]int, len(all))
	for n, r := range all {
		index[r.Name] = n
		tool.Rules = append(tool.Rules, newSARIFRule(r))
	}
	driver, err := jsonLine(tool)
	if err != nil {
		return err
	}
	const head = `{
  "$schema": %q,
  "version": "2.1.0",
  "runs": [{
    "tool": {"driver": %s},
    "columnKind": "unicodeCodePoints",
    "originalUriBaseIds": {"%%SRCROOT%%": {"description": {"text": "The directory in which caprun ran."}}},
    "results": [`
	if _, err := fmt.Fprintf(w, head, sarifSchema, driver); err != nil {
		return err
	}
	separator := "\n      "
	for r := range reports {
		if len(r.Findings) == 0 {
			continue
		}
		for _, f := range r.Findings {
			result := newSARIFResult(f)
			if n, ok := index[f.Rule]; ok {
				result.RuleIndex = &n
			}
			text, err := jsonLine(result)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, separator+text); err != nil {
				return err
			}
			separator = ",\n      "
		}
	}
	_, err = io.WriteString(w, "\n    ]\n  }]\n}\n")
	return err
}

func newSARIFRule(r policy.Rule) sarifRule {
	s := sarifRule{ID: r.Name, Name: pascal(r.Name), ShortDescription: sarifText{short(r.Summary)}}
	page, ok := rules.Page(r.Name)
	if !ok {
		page = r.Summary
	}
	s.FullDescription.Text = short(cmp.Or(section(page, "Why"), r.Summary))
	s.Help.Text = cmp.Or(section(page, "Fix"), r.Summary)
	s.Help.Markdown = page
	s.DefaultConfiguration.Level = sarifLevel(r.Severity)
	s.Properties.Tags = []string{"security"}
	switch r.Severity {
	case policy.Error:
		s.Properties.Precision, s.Properties.ProblemSeverity = "very-high", "error"
	case policy.Warning:
		s.Properties.Precision, s.Properties.ProblemSeverity = "high", "warning"
	default:
		s.Properties.Precision, s.Properties.ProblemSeverity = "medium", "recommendation"
	}
	return s
}

func newSARIFResult(f Finding) sarifResult {
	message := f.Message
	if f.Hint != "" {
		message += ". Fix: " + f.Hint
	}
	s := sarifResult{
		RuleID:    f.Rule,
		Level:     sarifLevel(f.Severity),
		Message:   sarifText{sarifMessage(message)},
		Locations: []sarifLocation{newSARIFLocation(f.File, f.Position)},
	}
	if f.Caps != 0 {
		s.Properties = &sarifCaps{f.Caps.Names()}
	}
	if by := f.Suppressed; by != nil {
		suppression := sarifSuppression{Kind: "inSource", Justification: sanitize.Text(by.Reason), Location: newSARIFLocation(f.File, by.Position)}
		if by.Until != "" {
			suppression.Properties = &sarifUntil{sanitize.Text(by.Until)}
		}
		s.Suppressions = []sarifSuppression{suppression}
	}
	return s
}

func newSARIFLocation(file string, at policy.Position) sarifLocation {
	if !at.IsKnown() {
		at = policy.Position{Line: 1, Column: 1}
	}
	at = withEnd(at)
	var l sarifLocation
	l.PhysicalLocation.ArtifactLocation = artifact(file)
	l.PhysicalLocation.Region = sarifRegion{at.Line, max(at.Column, 1), at.EndLine, max(at.EndColumn, 1)}
	return l
}

// artifact returns the URI of a file, relative to the working directory or
// absolute. It escapes every byte that is not allowed in a URI.
func artifact(file string) sarifArtifact {
	path := filepath.ToSlash(filepath.Clean(file))
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if filepath.IsAbs(file) {
		return sarifArtifact{URI: "file:///" + strings.TrimPrefix(b.String(), "/")}
	}
	return sarifArtifact{b.String(), "%SRCROOT%"}
}

func sarifLevel(s policy.Severity) string {
	if s == policy.Info {
		return "note"
	}
	return s.String()
}

// sarifMessage escapes a text for a SARIF message, in which {0} is an argument and
// [text](address) a link.
func sarifMessage(s string) string {
	return strings.NewReplacer("{", "{{", "}", "}}", "](", "] (").Replace(sanitize.Text(s))
}

// section returns the first paragraph below a heading of a page on one line, or ""
// if there is none.
func section(page, heading string) string {
	_, text, _ := strings.Cut(page, "\n## "+heading+"\n")
	text, _, _ = strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	if strings.HasPrefix(text, "```") || strings.HasPrefix(text, "#") {
		return ""
	}
	return strings.Join(strings.Fields(text), " ")
}

// short truncates a text to maxRuleText characters.
func short(s string) string {
	if utf8.RuneCountInString(s) <= maxRuleText {
		return s
	}
	return string([]rune(s)[:maxRuleText-len(cut)]) + cut
}

// pascal returns no-new-privs-missing as NoNewPrivsMissing: a SARIF rule name must
// differ from its id.
func pascal(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		r, size := utf8.DecodeRuneInString(word)
		if size > 0 {
			b.WriteRune(unicode.ToUpper(r))
		}
		b.WriteString(word[size:])
	}
	return b.String()
}

// semantic reports whether a version has the form 1.2.3 or 1.2.3-rc.1.
func semantic(version string) bool {
	numbers, rest, _ := strings.Cut(version, "-")
	parts := strings.Split(numbers, ".")
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(part string) bool {
		return part == "" || len(part) > 1 && part[0] == '0' || strings.Trim(part, "0123456789") != ""
	}) && (rest != "" || numbers == version) && strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.") == ""
}
