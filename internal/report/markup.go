package report

import (
	"bytes"
	"strings"
)

// markup is text of HTML. Only constants of this package become markup: a variable of type
// string does not convert to it without being written as a conversion.
//
// The package does not use html/template, which makes caprun 2 MB larger and initializes
// tables at every launch.
type markup string

// A page is HTML in the making. It is well-formed XML, too.
type page struct{ bytes.Buffer }

// add appends markup.
func (p *page) add(parts ...markup) {
	for _, m := range parts {
		p.WriteString(string(m))
	}
}

// text appends untrusted text.
func (p *page) text(s string) {
	from := 0
	for at := range len(s) {
		if escaped := escape(s[at]); escaped != "" {
			p.WriteString(s[from:at])
			p.add(escaped)
			from = at + 1
		}
	}
	p.WriteString(s[from:])
}

// breakable appends untrusted text with long lists, such as cap_chown,cap_kill, in which a
// line can end after each comma.
func (p *page) breakable(s string) {
	for n, part := range strings.SplitAfter(s, ",") {
		if n > 0 && !strings.HasPrefix(part, " ") {
			p.add("<wbr/>")
		}
		p.text(part)
	}
}

// escape returns the escape of a character that has a meaning in text or in a quoted
// attribute; empty for another one.
func escape(c byte) markup {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&#34;"
	case '\'':
		return "&#39;"
	}
	return ""
}

// number appends a number.
func (p *page) number(n int) { p.WriteString(number(n)) }

// attribute appends an attribute with an untrusted value.
func (p *page) attribute(name markup, value string) {
	p.add(" ", name, `="`)
	p.text(value)
	p.add(`"`)
}

// element appends an element that has only untrusted text.
func (p *page) element(name markup, s string) {
	p.add("<", name, ">")
	p.text(s)
	p.add("</", name, ">")
}

// link appends a link with untrusted text; only the text if there is no reference.
func (p *page) link(to reference, text string) {
	if to == "" {
		p.text(text)
		return
	}
	p.add("<a")
	p.attribute("href", string(to))
	p.add(">")
	p.text(text)
	p.add("</a>")
}

// isolated appends untrusted text whose direction does not affect the text around it, as a
// link if there is a reference.
func (p *page) isolated(to reference, text string) {
	p.add("<bdi>")
	p.link(to, text)
	p.add("</bdi>")
}
