package report

import (
	"path/filepath"

	"caprun/cap"
	"caprun/engine"
)

// details writes a section for each profile.
func (p *htmlPage) details() error {
	p.add("<h2 id=\"profiles\">Profiles</h2>\n<div class=\"cards\">\n")
	for n := range p.rows {
		if p.Len() > MaxSize {
			return ErrTooLarge
		}
		p.card(n)
	}
	p.add("</div>\n")
	return nil
}

// card writes the section of a profile.
func (p *htmlPage) card(n int) {
	row := p.rows[n]
	p.add(`<section class="card" id="p`)
	p.number(n + 1)
	p.add("\">\n<h3>")
	p.name(row)
	p.add("</h3>\n")
	if row.Description != "" {
		p.add("<p><bdi>")
		p.text(row.Description)
		p.add("</bdi></p>\n")
	}
	p.add("<dl>\n")
	if row.Change != "" {
		p.fact("change", string(row.Change)+suffix(": ", row.Note))
	}
	switch {
	case row.HasPlan:
		p.planFacts(row)
	case row.Problem != "":
		p.fact("plan", "none: "+row.Problem)
	case !row.removed:
		p.fact("plan", "none: the profile has errors")
	}
	p.add("</dl>\n")
	if row.Reachable != nil {
		p.add("<h4>Reachable later</h4>\n<ul>\n")
		for _, s := range row.Reachable {
			p.add("<li>")
			p.breakable(s)
			p.add("</li>\n")
		}
		p.add("</ul>\n")
	}
	p.findings(row)
	p.add("</section>\n")
}

// planFacts writes the privileges of a row.
func (p *htmlPage) planFacts(row *Row) {
	if row.launches != "" {
		p.fact("process", "caprun, which starts the program with profile "+row.launchText)
	}
	p.fact("runs as", "uid "+row.User+", gid "+row.GID+", groups "+row.Groups)
	has := capsText(row.Held, row.RootEquivalent, "")
	if row.CallerCaps {
		has += " (declares none: what a caller that is root leaves it)"
	}
	p.fact("has", has)
	if row.RootEquivalent != 0 && row.RootEquivalent != row.Held {
		p.fact("amounts to root", capsText(row.RootEquivalent, 0, ""))
	} else if row.RootEquivalent != 0 {
		p.fact("amounts to root", "each of them")
	}
	if row.Children == row.Held && row.Held != 0 {
		p.fact("passes on", "each of them")
	} else {
		p.fact("passes on", capsText(row.Children, 0, ""))
	}
	p.fact("can gain", capsText(row.Later, 0, ""))
	nnp := "no"
	if row.NoNewPrivs {
		nnp = "yes"
	}
	p.fact("no_new_privs", nnp)
	p.fact("securebits", engine.SecbitsText(row.Securebits))
}

// fact writes a term and its untrusted value.
func (p *htmlPage) fact(term markup, value string) {
	p.add("<div><dt>", term, "</dt><dd>")
	p.breakable(value)
	p.add("</dd></div>\n")
}

// findings writes the findings of a row.
func (p *htmlPage) findings(row *Row) {
	if row.Findings == nil {
		return
	}
	p.add("<h4>Findings</h4>\n<ul>\n")
	for _, f := range row.Findings {
		severity := f.Severity.String()
		p.add(`<li><span class="severity`)
		switch {
		case f.Suppressed != "":
			p.add(" quiet")
			severity += ", suppressed"
		case severity == "error":
			p.add(" wide")
		case severity == "warning":
			p.add(" warn")
		}
		p.add(`">`)
		p.text(severity)
		p.add("</span> ")
		if at := link(p.dir, f.file, f.line); at != "" && f.line > 0 {
			place := "line " + number(f.line)
			if f.file != row.file {
				place = text(filepath.Base(f.file)) + " " + place
			}
			p.isolated(at, place)
			p.add(": ")
		}
		p.add("<bdi>")
		p.breakable(f.Message)
		p.add("</bdi> <code>")
		p.text(f.Rule)
		p.add("</code>")
		if f.Suppressed != "" {
			p.add("<br/>reason: <bdi>")
			p.text(f.Suppressed)
			p.add("</bdi>")
		}
		p.add("</li>\n")
	}
	if row.More > 0 {
		p.add("<li>and ")
		p.text(plural(row.More, "other finding"))
		p.add("; run caprun check</li>\n")
	}
	p.add("</ul>\n")
}

// glossary writes what each capability of the page allows.
func (p *htmlPage) glossary() {
	p.add("<h2 id=\"capabilities\">Capabilities</h2>\n")
	if p.groups != nil {
		p.add("<table class=\"glossary\">\n<caption>Capabilities with a column, by what they lead to</caption>\n" +
			"<thead>\n<tr><th scope=\"col\">capability</th><th scope=\"col\">profiles</th><th scope=\"col\">what it allows</th></tr>\n</thead>\n")
	}
	for _, g := range p.groups {
		p.add("<tbody>\n<tr class=\"class\"><th scope=\"rowgroup\" colspan=\"3\">")
		p.text(g.Name)
		p.add(" <span>")
		p.text(g.About)
		p.add("</span></th></tr>\n")
		for _, c := range g.columns {
			p.add("<tr")
			p.attribute("id", c.name())
			p.add("><th scope=\"row\">")
			p.text(c.name())
			p.add("</th><td class=\"num\">")
			p.number(c.held)
			p.add("</td><td>")
			p.text(cap.Value(c.cap).Description())
			p.add("</td></tr>\n")
		}
		p.add("</tbody>\n")
	}
	if p.groups != nil {
		p.add("</table>\n")
	}
	if p.rest != nil {
		p.add(`<p id="rest">`)
		p.text("Without a column, because only profiles with more than " + number(wide) + " capabilities have them, or none: ")
		for n, c := range p.rest {
			if n > 0 {
				p.add(", ")
			}
			p.text(shortName(c))
		}
		p.add(".</p>\n")
	}
	p.add("</main>\n")
}

// suffix returns a text with a separator before it; empty for an empty text.
func suffix(separator, s string) string {
	if s == "" {
		return ""
	}
	return separator + s
}
