package report

import "caprun/engine/cred"

// matrix writes the table of profiles and capabilities.
func (p *htmlPage) matrix() {
	p.add("<table class=\"matrix\">\n<caption>Profiles by power, and their capabilities</caption>\n<thead>\n<tr>")
	for _, h := range p.fixedColumns() {
		p.add(`<th rowspan="2" scope="col" class="`, h.class, `">`, h.heading, "</th>")
	}
	for _, g := range p.groups {
		p.add(`<th scope="colgroup" class="group g" colspan="`)
		p.number(len(g.columns))
		p.add(`"`)
		p.attribute("title", g.About)
		p.add("><span>")
		p.text(g.Name)
		p.add("</span></th>")
	}
	if p.rest != nil {
		p.add(`<th rowspan="2" scope="col" class="cap g"><a href="#rest">`)
		p.number(len(p.rest))
		p.add(" more</a></th>")
	}
	p.add("</tr>\n<tr>")
	for _, g := range p.groups {
		for _, c := range g.columns {
			p.add(`<th scope="col" class="cap`)
			if c.first {
				p.add(" g")
			}
			p.add(`"><a`)
			p.attribute("href", "#"+c.name())
			p.add(">")
			p.text(c.name())
			p.add("</a></th>")
		}
	}
	p.add("</tr>\n</thead>\n")
	p.classes()
	p.foot()
	p.add("</table>\n")
}

// A fixedColumn is a column that is not a capability.
type fixedColumn struct{ class, heading markup }

// fixedColumns returns the columns before those of the capabilities.
func (p *htmlPage) fixedColumns() []fixedColumn {
	list := []fixedColumn{{"name", "profile"}}
	if p.report.options.Base != "" {
		list = append(list, fixedColumn{"text", "change"})
	}
	return append(list, fixedColumn{"text", "findings"}, fixedColumn{"text", "uid"},
		fixedColumn{"text", `<abbr title="no_new_privs">nnp</abbr>`}, fixedColumn{"text", "locks"},
		fixedColumn{"num", "has"}, fixedColumn{"num", "passes<br/>on"}, fixedColumn{"num", "later"})
}

// width returns the number of columns.
func (p *htmlPage) width() int {
	n := len(p.fixedColumns())
	for _, g := range p.groups {
		n += len(g.columns)
	}
	if p.rest != nil {
		n++
	}
	return n
}

// classes writes the rows, those of each class of power below a heading.
func (p *htmlPage) classes() {
	for at := 0; at < len(p.rows); {
		class, end := p.rows[at].Power, at
		for end < len(p.rows) && p.rows[end].Power == class {
			end++
		}
		p.add("<tbody>\n<tr class=\"class\"><th scope=\"rowgroup\" colspan=\"")
		p.number(p.width())
		p.add(`"><span>`)
		p.text(powers[class].heading)
		p.add(` <b>`)
		p.number(end - at)
		p.add("</b></span></th></tr>\n")
		for ; at < end; at++ {
			p.row(at)
		}
		p.add("</tbody>\n")
	}
}

// row writes one row.
func (p *htmlPage) row(n int) {
	row := p.rows[n]
	p.add("<tr><th scope=\"row\" class=\"name\"")
	if row.Description != "" {
		p.attribute("title", row.Description)
	}
	p.add(">")
	p.name(row)
	p.add("</th>")
	if p.report.options.Base != "" {
		class, sign := changeMark(row.Change)
		p.add(`<td class="text"><a href="#p`)
		p.number(n + 1)
		p.add(`" class="`, class, `"`)
		if row.Note != "" {
			p.attribute("title", row.Note)
		}
		p.add(">", sign)
		p.text(string(row.Change))
		p.add("</a></td>")
	}
	p.add(`<td class="text"><a href="#p`)
	p.number(n + 1)
	p.add(`"`)
	switch {
	case row.Errors > 0 || row.Problem != "":
		p.add(` class="wide"`)
	case row.Warnings > 0:
		p.add(` class="warn"`)
	default:
		p.add(` class="quiet"`)
	}
	p.add(">")
	p.text(row.findings())
	p.add("</a></td>")
	if row.HasPlan {
		p.privileges(row)
	} else {
		p.add(`<td class="noplan" colspan="`)
		p.number(p.width() - len(p.fixedColumns()) + 6)
		p.add(`">`)
		switch {
		case row.removed:
			p.text(row.Note)
		case row.Problem != "":
			p.text("has no plan: " + row.Problem)
		default:
			p.add("has no plan")
		}
		p.add("</td>")
	}
	p.add("</tr>\n")
}

// privileges writes the cells of a row that has a plan.
func (p *htmlPage) privileges(row *Row) {
	p.add(`<td class="text`)
	switch {
	case row.uid0:
		p.add(" bad")
	case row.undeclared:
		p.add(" caller")
	}
	p.add(`"><bdi>`)
	p.text(row.User)
	p.add(`</bdi></td><td class="text`)
	if row.NoNewPrivs {
		p.add(`">yes</td>`)
	} else {
		p.add(` bad">no</td>`)
	}
	p.add(`<td class="text`)
	if row.locks() == "none" {
		p.add(" quiet")
	}
	p.add(`">`)
	p.text(row.locks())
	p.add("</td>")
	for _, set := range [...]cred.Caps{row.Held, row.Children, row.Later} {
		p.add(`<td class="num`)
		if set == 0 {
			p.add(" quiet")
		}
		p.add(`">`)
		p.number(set.Len())
		p.add("</td>")
	}
	for _, g := range p.groups {
		for _, c := range g.columns {
			p.cell(row, c)
		}
	}
	if p.rest != nil {
		p.restCell(row)
	}
}

// cell writes the cell of a capability.
func (p *htmlPage) cell(row *Row, c column) {
	if c.first {
		p.add(`<td class="g">`)
	} else {
		p.add("<td>")
	}
	held, passed := row.Held.Has(c.cap), row.Children.Has(c.cap)
	var class, symbol, about markup
	switch {
	case held && row.RootEquivalent.Has(c.cap):
		class, symbol, about = "mr", "r", "has it, amounts to root"
	case held:
		class, symbol, about = "mh", "h", "has it"
	case passed || row.Later.Has(c.cap):
		class, symbol, about = "ml", "l", "can gain it later"
	default:
		p.add("</td>")
		return
	}
	p.add(`<svg role="img" class="`, class, `"><title>`)
	p.text(c.name())
	p.add(": ", about)
	if passed {
		p.add(", passes it on")
	}
	p.add(`</title><use href="#`, symbol)
	if passed {
		p.add("c")
	}
	p.add(`"/></svg></td>`)
}

// restCell writes the cell of the capabilities without a column.
func (p *htmlPage) restCell(row *Row) {
	p.add(`<td class="g num">`)
	var held, later int
	for _, n := range p.rest {
		if row.Held.Has(n) {
			held++
		} else if row.Later.Has(n) {
			later++
		}
	}
	if held > 0 {
		p.number(held)
	}
	if later > 0 {
		p.add(`<span class="quiet"> (`)
		p.number(later)
		p.add(`<span class="hidden"> later</span>)</span>`)
	}
	p.add("</td>")
}

// foot writes the row of the sums.
func (p *htmlPage) foot() {
	p.add("<tfoot>\n<tr><th scope=\"row\" class=\"name\">profiles that have it</th><td colspan=\"")
	p.number(len(p.fixedColumns()) - 1)
	p.add(`"></td>`)
	for _, g := range p.groups {
		for _, c := range g.columns {
			if c.first {
				p.add(`<td class="g">`)
			} else {
				p.add("<td>")
			}
			p.number(c.held)
			p.add("</td>")
		}
	}
	if p.rest != nil {
		p.add(`<td class="g"></td>`)
	}
	p.add("</tr>\n</tfoot>\n")
}
