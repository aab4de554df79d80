package render

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine/compare"
)

// An OutsideItem is one thing that a file of another platform declares and a profile cannot
// express, such as sandboxing, devices and directories of the host.
type OutsideItem struct {
	Message     string
	Declaration string // the text of the declaration, which the message may not have
}

// Outside is what only one of two versions has. Whether it widens or narrows is not known.
type Outside struct{ Old, New []string }

// maxDeclared is the largest length of a declaration in a comparison, in characters.
const maxDeclared = 200

// NewOutside returns what one of two lists has and the other has not. An item that one list
// has more often counts. An item whose message is in both lists has its declaration.
func NewOutside(old, new []OutsideItem) Outside {
	onlyOld, onlyNew := without(old, new), without(new, old)
	return Outside{texts(onlyOld, onlyNew), texts(onlyNew, onlyOld)}
}

// without returns the items of list that are not in other.
func without(list, other []OutsideItem) []OutsideItem {
	count := map[OutsideItem]int{}
	for _, s := range other {
		count[s]++
	}
	var rest []OutsideItem
	for _, s := range list {
		if count[s]--; count[s] < 0 {
			rest = append(rest, s)
		}
	}
	return rest
}

// texts returns the items as text.
func texts(list, other []OutsideItem) []string {
	var result []string
	for _, item := range list {
		text := item.Message
		if slices.ContainsFunc(other, func(o OutsideItem) bool { return o.Message == item.Message }) {
			text += ": " + cut(item.Declaration, maxDeclared)
		}
		result = append(result, text)
	}
	return result
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

// unexamined describes a change of declarations that neither the plans nor Outside have.
const unexamined = "declarations that caprun does not examine"

// SetUnexamined records that the files differ in something else than the plans.
func (c *Change) SetUnexamined() {
	if c.Difference == nil {
		return
	}
	c.Difference.Unexamined = true
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
