package editors

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected output")

// here marks the cursor in a document.
const here = "▮"

// TestLanguageServer writes profiles as a user would, next to the schema that their
// first line names, and compares what the editor shows.
func TestLanguageServer(t *testing.T) {
	s := start(t)
	root := t.TempDir()
	schema, err := os.ReadFile("../../../schema/profile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"schema", "profiles"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "schema", "profile.schema.json"), schema, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.request("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": "file://" + root,
		"capabilities": map[string]any{
			"workspace": map[string]any{"configuration": true},
			"textDocument": map[string]any{
				"hover":      map[string]any{"contentFormat": []string{"markdown"}},
				"completion": map[string]any{"completionItem": map[string]any{"documentationFormat": []string{"markdown"}}},
			},
		},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.notify("initialized", map[string]any{}); err != nil {
		t.Fatal(err)
	}

	var b strings.Builder
	for n, c := range []struct{ what, text string }{
		{"a profile without mistakes", "version: 1\nuser: www-data\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n"},
		{"a wrong key", "version: 1\nno_new_privis: true\n"},
		{"wrong values", "version: 2\nuid: -1\nsecbits: [noroott]\nmode: PURE2E\n"},
		{"a uid without a gid", "version: 1\nuid: 33\n"},
		{"groups by name, and wrong ones", "version: 1\nuser: web\ngid: www-data\ngroups: [33, adm, \":33\", -1]\n"},
		{"complete a key", "version: 1\n" + here},
		{"complete a mode", "version: 1\nmode: " + here},
		{"complete a securebit", "version: 1\nsecbits:\n  - " + here},
		{"complete a resource limit", "version: 1\nrlimits:\n  " + here},
		{"complete a key of an accepted rule", "version: 1\nlint:\n  ignore:\n    - rule: amounts-to-root\n      " + here},
		{"wrong capabilities of an accepted rule", "version: 1\nlint: {ignore: [{rule: amounts-to-root, caps: [chown], reason: x}, {rule: a, caps: [], reason: x}]}\n"},
		{"hover over the caps of an accepted rule", "version: 1\nlint:\n  ignore:\n    - {rule: amounts-to-root, ca" + here + "ps: [cap_chown], reason: x}\n"},
		{"hover over caps", "version: 1\nca" + here + "ps: cap_net_bind_service=eip\n"},
		{"hover over no_new_privs", "version: 1\nno_new" + here + "_privs: true\n"},
	} {
		const modeline = "# yaml-language-server: $schema=../schema/profile.schema.json\n"
		text, at := cursor(t, modeline+c.text)
		uri := fmt.Sprintf("file://%s/profiles/%d.yaml", root, n)
		fmt.Fprintf(&b, "== %s\n%s\n", c.what, strings.TrimRight(c.text, "\n"))
		found, err := s.open(uri, text)
		if err != nil {
			t.Fatal(err)
		}
		params := map[string]any{"textDocument": map[string]any{"uri": uri}, "position": at}
		switch {
		case strings.HasPrefix(c.what, "complete"):
			err = complete(&b, s, params)
		case strings.HasPrefix(c.what, "hover"):
			err = hover(&b, s, params)
		default:
			b.WriteString("-- errors\n")
			for _, d := range found {
				// The modeline is line 0, so the numbers are those of the shown text.
				fmt.Fprintf(&b, "%d:%d to %d:%d: %s\n", d.Range.Start.Line, d.Range.Start.Character+1,
					d.Range.End.Line, d.Range.End.Character+1, d.Message)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	const golden = "testdata/transcript.txt"
	transcript := strings.ReplaceAll(b.String(), "file://"+root, "..")
	if *update {
		if err := os.WriteFile(golden, []byte(transcript), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if transcript != string(want) {
		t.Errorf("the editor does not show the content of %s; update it with -update:\n%s", golden, transcript)
	}
}

// cursor returns a text without the mark, and the position of the mark.
func cursor(t *testing.T, marked string) (string, position) {
	t.Helper()
	before, after, _ := strings.Cut(marked, here)
	return before + after, position{strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n') - 1}
}

func complete(b *strings.Builder, s *server, params any) error {
	var list struct {
		Items []struct {
			Label         string
			Documentation any
		}
	}
	if err := s.request("textDocument/completion", params, &list); err != nil {
		return err
	}
	slices.SortFunc(list.Items, func(x, y struct {
		Label         string
		Documentation any
	}) int {
		return cmp.Compare(x.Label, y.Label)
	})
	b.WriteString("-- offered\n")
	for _, item := range list.Items {
		fmt.Fprintf(b, "%s\t%s\n", item.Label, firstLine(item.Documentation))
	}
	return nil
}

func hover(b *strings.Builder, s *server, params any) error {
	var shown struct {
		Contents struct{ Value string }
	}
	if err := s.request("textDocument/hover", params, &shown); err != nil {
		return err
	}
	fmt.Fprintf(b, "-- shown\n%s\n", strings.TrimSpace(shown.Contents.Value))
	return nil
}

// firstLine returns the first line of a documentation, in either of its two forms.
func firstLine(documentation any) string {
	text := fmt.Sprint(documentation)
	if m, ok := documentation.(map[string]any); ok {
		text = fmt.Sprint(m["value"])
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}
