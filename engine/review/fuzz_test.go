package review

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"caprun/policy"
)

// hostile are texts that a terminal or a CI system could interpret as commands.
var hostile = [...]string{
	"::set-env name=PATH::/tmp", "  ::error file=x::y", "\u3000::stop-commands::x", "##[set-env name=A]b", "x ##[add-path]y", "##vso[task.complete]",
	"a\n::error::b", "a\r::error::b", "a\r\n##[error]b", "%0A::error::b", "%250A", "a,line=7::b", "a:b,c%d", ":",
	"\x1b]0;title\x07", "\x1b[2J", "\u009b2J", "\x7f\x00", "\u202egnp\u202c", "\u2066x\u2069", "\u2028\u2029\u0085", "\ufeff\u200b\U000e0041",
	"\xff\xfe\xc0\x80", "名前🦊e\u0301", "{0} {1}", "[a](https://example.org)", "</script><img>", `"\` + "\\u001b", "",
}

// FuzzPrinters prints arbitrary names, texts, messages and hints. See unclean for
// what the output must not contain.
func FuzzPrinters(f *testing.F) {
	for n, h := range hostile {
		f.Add(h, hostile[(n+3)%len(hostile)]+"\n"+h, hostile[(n+7)%len(hostile)], hostile[(n+11)%len(hostile)], uint16(n), uint16(n/2))
	}
	schema := sarifSchemaFile(f)
	formats := quickPrinters()
	delete(formats, "human.colour")
	f.Fuzz(func(t *testing.T, file, source, message, hint string, column, length uint16) {
		counts := policy.Diagnostic{
			File: file, Rule: "bad-name", Message: message, Hint: hint,
			Position: policy.Position{Line: 1, Column: 1 + int(column), EndLine: 1 + int(length)%2, EndColumn: 1 + int(column) + int(length)},
		}
		nowhere := counts
		nowhere.Position = policy.Position{}
		second := counts
		second.Position = policy.Position{Line: 2, Column: 1}
		accepted := Finding{Diagnostic: counts, Caps: 1<<63 | 1, Suppressed: &Suppression{Position: policy.Position{Line: 1, Column: 1}, Reason: message, Until: hint}}
		report := Report{File: file, Source: []byte(source), Findings: []Finding{{Diagnostic: nowhere}, {Diagnostic: counts}, accepted, {Diagnostic: second}}}
		for name, print := range formats {
			out := printed(t, print, []Report{report, report})
			if fault := unclean(name, out); fault != "" {
				t.Errorf("%s: %s: %q", name, fault, out)
			}
			switch name {
			case "json":
				if !json.Valid([]byte(out)) {
					t.Errorf("json is not valid: %q", out)
				}
			case "sarif":
				validSARIF(t, schema, out)
			case "oneline", "github":
				if n := strings.Count(out, "\n"); n != 6 {
					t.Errorf("%s has %d lines for 6 findings: %q", name, n, out)
				}
			}
		}
	})
}

// unclean describes text in an output that a terminal or a CI system could interpret
// as a command, "" if there is none.
func unclean(format, out string) string {
	if !utf8.ValidString(out) {
		return "it is not UTF-8"
	}
	if format == "human.colour" {
		// Only color sequences are allowed, each with a reset.
		for _, code := range []string{"1", "31;1", "33;1", "36;1", "0"} {
			out = strings.ReplaceAll(out, "\x1b["+code+"m", "")
		}
	}
	for _, r := range out {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Cf, unicode.Zl, unicode.Zp)) {
			return fmt.Sprintf("it has the character %U", r)
		}
	}
	if strings.Contains(out, "##[") || strings.Contains(out, "##vso[") {
		return "it has a command in brackets"
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(strings.TrimSpace(line), "::") {
			continue
		}
		level, _, _ := strings.Cut(line, " file=")
		if format != "github" || level != "::error" && level != "::warning" && level != "::notice" {
			return "a line begins with a command"
		}
		// The runner reads properties up to the first "::".
		properties, _, ok := strings.Cut(line[2:], "::")
		if !ok || strings.Count(properties, ",")+1 != strings.Count(properties, "=")-strings.Count(fileOf(properties), "=") {
			return "a property is not escaped"
		}
	}
	return ""
}

// fileOf returns the value of the first property of a workflow command.
func fileOf(properties string) string {
	_, file, _ := strings.Cut(properties, " file=")
	file, _, _ = strings.Cut(file, ",")
	return file
}

// TestHostileProfiles checks files that contain commands, and prints the findings in
// each format.
func TestHostileProfiles(t *testing.T) {
	formats := quickPrinters()
	findings := 0
	for _, text := range hostile {
		for _, source := range []string{
			text + ": x\nversion: 1\n",
			"version: 1\n" + text + "\n",
			"version: 1\nuser: " + text + "\n",
			"version: 1\nuser: '" + text + "'\ncaps: \"" + text + "\"\nsecbits: ['" + text + "']\n",
			"version: 1\nuid: 33\ngid: 33\ncommand: ['" + text + "']\n",
		} {
			report := Check(text+".yaml", []byte(source), Options{Today: time.Unix(0, 0)})
			counted := 0
			for _, f := range report.Findings {
				if f.Suppressed == nil {
					counted++
				}
			}
			findings += counted
			for name, print := range formats {
				out := printed(t, print, []Report{report})
				if fault := unclean(name, out); fault != "" {
					t.Errorf("%s of %q: %s: %q", name, source, fault, out)
				}
				if n := strings.Count(out, "\n"); (name == "oneline" || name == "github") && n != counted {
					t.Errorf("%s of %q has %d lines for %d findings", name, source, n, counted)
				}
			}
		}
	}
	if findings < 100 {
		t.Errorf("only %d findings", findings)
	}
}
