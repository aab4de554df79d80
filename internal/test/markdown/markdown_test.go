package markdown

import (
	"slices"
	"strings"
	"testing"
)

const sample = "# A `page`: one\n\nProse with a [link](other.md#part)\nand `[no](link)`.\n\n    a command\n\n    another\n\n" +
	"```yaml\n# no heading\n[no](link)\n```\n\n## Part\n\n- an item\n\n      its code\n    no block\n\n```\nx\n```\n\n## Part\n"

func TestSplit(t *testing.T) {
	var kinds []string
	text := ""
	for _, p := range Split(sample) {
		kinds = append(kinds, p.Kind)
		if line := strings.Count(text, "\n") + 1; p.Line != line {
			t.Errorf("%q begins in line %d, not in %d", p.Text, line, p.Line)
		}
		text += p.Text
	}
	want := []string{Prose, Indented, Prose, Indented, Prose, "yaml", Prose, "unnamed", Prose}
	if !slices.Equal(kinds, want) {
		t.Errorf("the kinds are %q, want %q", kinds, want)
	}
	if text != sample {
		t.Errorf("the parts are %q", text)
	}
}

// TestSplitEmpty: a block without a line is a part, too: output that is missing.
func TestSplitEmpty(t *testing.T) {
	parts := Split("<!-- $ x -->\n```text\n```\n")
	if len(parts) != 3 || parts[1] != (Part{Kind: "text", Line: 3}) || parts[2].Line != 3 {
		t.Errorf("%+v", parts)
	}
}

func TestAnchors(t *testing.T) {
	if got, want := Anchors(sample), []string{"a-page-one", "part", "part-1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLinks(t *testing.T) {
	if got, want := Links(sample), []string{"other.md#part"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
