package render

import (
	"fmt"
	"strings"

	"caprun/engine/compare"
)

// Outside is what files of other platforms declare and a profile cannot express, such as
// sandboxing, devices and directories of the host, in one of two versions only. Whether it
// widens or narrows is not known.
type Outside struct{ Old, New []string }

// NewOutside returns what one of two lists has and the other has not. An item that one list
// has more often counts.
func NewOutside(old, new []string) Outside {
	return Outside{without(old, new), without(new, old)}
}

// without returns the items of list that are not in other.
func without(list, other []string) []string {
	count := map[string]int{}
	for _, s := range other {
		count[s]++
	}
	var rest []string
	for _, s := range list {
		if count[s]--; count[s] < 0 {
			rest = append(rest, s)
		}
	}
	return rest
}

func (o Outside) isEmpty() bool { return len(o.Old)+len(o.New) == 0 }

// SetOutside records what is outside of the two profiles. A change without a difference,
// such as a new profile, has no place for it.
func (c *Change) SetOutside(o Outside) {
	if c.Difference == nil {
		return
	}
	c.Difference.Outside = o
	c.Kind = c.Difference.kind()
}

// order returns how the new version compares with the old one.
func (d Difference) order() compare.Order {
	order := d.Comparison.Order()
	if !d.Outside.isEmpty() && order != compare.More {
		return compare.Incomparable
	}
	return order
}

// print prints the two lists for people.
func (o Outside) print(b *strings.Builder, colour bool) {
	if o.isEmpty() {
		return
	}
	b.WriteString("\n" + paint(colour, "33", "Not comparable: outside of a profile") + "\n")
	o.each(func(mark, text string) {
		for n, line := range wrap(text, 90) {
			if n > 0 {
				mark = " "
			}
			fmt.Fprintf(b, "  %s %s\n", mark, line)
		}
	})
}

// markdown prints the two lists for a pull request.
func (o Outside) markdown(b *strings.Builder) {
	if o.isEmpty() {
		return
	}
	b.WriteString("\nNot comparable: outside of a profile\n\n")
	o.each(func(mark, text string) { fmt.Fprintf(b, "- %s\n", markdownCode(mark+" "+text)) })
}

// each calls f with each item, and a minus for an item of the old version only.
func (o Outside) each(f func(mark, text string)) {
	for _, text := range o.Old {
		f("-", text)
	}
	for _, text := range o.New {
		f("+", text)
	}
}

// summary returns the lists in a few words.
func (o Outside) summary() string {
	switch {
	case o.isEmpty():
		return ""
	case len(o.Old)+len(o.New) == 1:
		text := ""
		o.each(func(mark, item string) { text = mark + " " + item })
		return "outside of a profile: " + text
	}
	return fmt.Sprintf("outside of a profile: %d removed, %d added", len(o.Old), len(o.New))
}
