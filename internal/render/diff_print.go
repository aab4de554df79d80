package render

import (
	"fmt"
	"io"
	"strings"

	"caprun/internal/sanitize"
)

// Print prints a difference for people.
func (d Difference) Print(w io.Writer, colour bool) error {
	var b strings.Builder
	b.WriteString(paint(colour, "1", fmt.Sprintf("%s %s %s", d.new, d.verdict(), d.old)) + "\n")
	codes := map[string]string{"Widened": "31", "Not comparable": "33", "Narrowed": "32"}
	for _, group := range d.changes() {
		b.WriteString("\n" + paint(colour, codes[group.title], group.title) + "\n")
		for _, row := range group.rows {
			printEntry(&b, strings.Join(row.names, ", "), row.text)
		}
	}
	d.Outside.print(&b, colour)
	if len(d.Others) > 0 {
		b.WriteString("\n" + paint(colour, "1", "Changed without effect on privilege") + "\n  " + strings.Join(d.Others, ", ") + "\n")
	}
	if d.Unexamined {
		b.WriteString("\n" + paint(colour, "1", "Changed") + "\n  " + unexamined + "\n")
	}
	_, err := fmt.Fprint(w, sanitize.Lines(b.String()))
	return err
}

// printEntry prints a name and a text, below the name if both do not fit in a line.
func printEntry(b *strings.Builder, name, text string) {
	lines := wrap(text, 74)
	if len(name) <= 14 && len(lines) == 1 && len(text) <= 60 {
		fmt.Fprintf(b, "  %-14s %s\n", name, text)
		return
	}
	fmt.Fprintf(b, "  %s\n", name)
	for _, line := range lines {
		fmt.Fprintf(b, "      %s\n", line)
	}
}

// Markdown prints a difference as a comment of a pull request.
func (d Difference) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s %s %s**\n", markdownCode(d.new), d.verdict(), markdownCode(d.old))
	for _, group := range d.changes() {
		fmt.Fprintf(&b, "\n| %s | before | after |\n|---|---|---|\n", group.title)
		for _, row := range group.rows {
			for n, dim := range row.dimensions {
				note := ""
				if _, text, ok := strings.Cut(row.text, ": "); ok && n == 0 && consequence(dim) != "" {
					note = "<br>" + text
				}
				fmt.Fprintf(&b, "| %s%s | %s | %s |\n", string(dim.Dimension), note, markdownCode(dim.Old.String()), markdownCode(dim.New.String()))
			}
		}
	}
	d.Outside.markdown(&b)
	if len(d.Others) > 0 {
		fmt.Fprintf(&b, "\nChanged without effect on privilege: %s\n", strings.Join(d.Others, ", "))
	}
	if d.Unexamined {
		fmt.Fprintf(&b, "\nChanged: %s\n", unexamined)
	}
	_, err := fmt.Fprint(w, sanitize.Lines(b.String()))
	return err
}

// markdownCode returns text as a code span for a cell of a table. Text of a profile
// must not become markup: the fence is longer than any in the text, and a bar is
// escaped.
func markdownCode(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	gap := ""
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		gap = " "
	}
	return fence + gap + strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ") + gap + fence
}

// jsonDifference is the JSON form of a difference.
type jsonDifference struct {
	Old        string          `json:"old"`
	New        string          `json:"new"`
	Order      string          `json:"order"`
	Dimensions []jsonDimension `json:"dimensions"`
	Others     []string        `json:"no_privilege_changed"`
	Unexamined bool            `json:"unexamined_changed,omitempty"`
	OutsideOld []string        `json:"outside_old,omitempty"` // what a profile cannot express, in one version only
	OutsideNew []string        `json:"outside_new,omitempty"`
}

// jsonProfiles is the JSON form of the difference of two profiles.
type jsonProfiles struct {
	Version int `json:"version"`
	jsonDifference
}

type jsonDimension struct {
	Name   string   `json:"name"`
	Order  string   `json:"order"`
	Old    string   `json:"old"`
	New    string   `json:"new"`
	Gained []string `json:"gained"`
	Lost   []string `json:"lost"`
}

func (d Difference) json() jsonDifference {
	out := jsonDifference{d.old, d.new, d.order().String(), nil, append([]string{}, d.Others...), d.Unexamined, d.Outside.Old, d.Outside.New}
	for _, dim := range d.Comparison.Differences {
		out.Dimensions = append(out.Dimensions, jsonDimension{
			string(dim.Dimension), dim.Order.String(), dim.Old.String(), dim.New.String(), append([]string{}, dim.Gained()...), append([]string{}, dim.Lost()...),
		})
	}
	return out
}

// JSON prints a difference for programs.
func (d Difference) JSON(w io.Writer) error {
	return JSON(w, jsonProfiles{FormatVersion, d.json()})
}
