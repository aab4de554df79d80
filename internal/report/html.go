package report

import (
	_ "embed"
	"io"
	"strings"

	"caprun/engine"
	"caprun/internal/render"
)

// style is the style sheet of the page.
//
//go:embed style.css
var style string

// styleHash is the SHA-256 of style in base64, which the policy of the page names: a
// browser applies no other style. A test compares the two.
const styleHash = "6DwvJjrl2/Qb8/fVIL0YRVAq/1jIYfS6kIfHNuCul4Q="

// contentPolicy lets a browser load nothing and run nothing, whatever the page has.
const contentPolicy = "default-src 'none'; style-src 'sha256-" + styleHash + "'; base-uri 'none'; form-action 'none'"

// An htmlPage is the page of a report.
type htmlPage struct {
	page

	report  *Report
	rows    []*Row
	summary Summary
	groups  []columnGroup
	rest    []int // the capabilities without a column
	dir     string
	prefix  string // of all names
}

// HTML writes the report as a page without a script, whose links are relative to a
// directory: the one in which the page will be.
func (r *Report) HTML(w io.Writer, dir string) error {
	p := &htmlPage{report: r, rows: r.Rows(), summary: r.Summary(), dir: dir}
	p.prefix = commonDirectory(p.rows)
	groups, rest := r.columns()
	p.groups = groups
	for n := range rest.All() {
		p.rest = append(p.rest, n)
	}
	p.head()
	p.intro()
	p.changes()
	p.matrix()
	if err := p.details(); err != nil {
		return err
	}
	p.glossary()
	p.add("</body>\n</html>\n")
	if p.Len() > MaxSize {
		return ErrTooLarge
	}
	_, err := w.Write(p.Bytes())
	return err
}

// commonDirectory returns the directory that the names of all rows begin with, with its
// final slash; empty if there is none.
func commonDirectory(rows []*Row) string {
	var common string
	for n, row := range rows {
		dir := row.Name[:strings.LastIndexByte(row.Name, '/')+1]
		if n == 0 {
			common = dir
		}
		for !strings.HasPrefix(dir, common) {
			common = common[:strings.LastIndexByte(strings.TrimSuffix(common, "/"), '/')+1]
		}
	}
	return common
}

// name writes the name of a row, with a link to its file.
func (p *htmlPage) name(row *Row) {
	p.isolated(link(p.dir, row.file, 0), p.shortName(row))
}

// shortName returns the name of a row below the directory of all names.
func (p *htmlPage) shortName(row *Row) string { return strings.TrimPrefix(row.Name, p.prefix) }

func (p *htmlPage) title() string { return "Privileges of " + profiles(p.summary.Profiles) }

// head writes the head of the document.
func (p *htmlPage) head() {
	p.add(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy"`)
	p.attribute("content", contentPolicy)
	p.add(`/>
<meta name="generator" content="caprun report"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
`)
	p.element("title", p.title())
	p.add("\n<style>")
	p.WriteString(style) // a constant, in which a test finds nothing that ends the element
	p.add("</style>\n</head>\n<body>\n", symbols)
}

// intro writes the heading, the summary and the legend.
func (p *htmlPage) intro() {
	p.add("<header>\n")
	p.element("h1", p.title())
	p.add("\n<ul class=\"facts\">\n")
	for _, f := range p.summary.facts() {
		p.add("<li")
		if f.bad && f.count > 0 {
			p.add(` class="bad"`)
		}
		p.add("><strong>")
		p.number(f.count)
		p.add("</strong> ")
		p.text(f.about)
		p.add("</li>\n")
	}
	p.add("</ul>\n")
	if base := p.report.options.Base; base != "" {
		p.add("<p>Compared with ")
		p.isolated("", text(base))
		p.add(": ")
		p.text(p.summary.changesText())
		p.add(".</p>\n")
	}
	if p.prefix != "" && !strings.HasPrefix(p.prefix, "/") {
		p.add("<p>Names are below ")
		p.isolated("", p.prefix)
		p.add(".</p>\n")
	}
	p.add(`<p>A row is a profile: what a program has that caprun starts with it, and what it can gain later. The most powerful rows are first. The page assumes a caller that is root with every capability, and a program without set-user-ID bits and file capabilities, on Linux `)
	p.text(engine.LatestKernel().String())
	p.add(`. <a href="#profiles">Details of each profile</a>, <a href="#capabilities">what each capability allows</a></p>
`, legend, "</header>\n<main>\n")
}

// maxChanges is the number of changes before the table of profiles. More are the column of
// the changes, and must leave the table in view.
const maxChanges = 40

// changes writes what changed since the base.
func (p *htmlPage) changes() {
	if p.report.options.Base == "" || p.summary.changes[render.Unchanged] == len(p.rows) {
		return
	}
	p.add("<table class=\"glossary changed\">\n<caption>Changes</caption>\n" +
		"<thead>\n<tr><th scope=\"col\">change</th><th scope=\"col\">profile</th><th scope=\"col\">what</th></tr>\n</thead>\n<tbody>\n")
	listed := 0
	for _, kind := range changeKinds {
		if kind == render.Unchanged {
			continue
		}
		for n, row := range p.rows {
			if row.Change != kind {
				continue
			}
			if listed++; listed > maxChanges {
				continue
			}
			class, sign := changeMark(kind)
			p.add(`<tr><td class="`, class, `">`, sign)
			p.text(string(kind))
			p.add(`</td><th scope="row"><bdi><a href="#p`)
			p.number(n + 1)
			p.add(`">`)
			p.text(p.shortName(row))
			p.add("</a></bdi></th><td>")
			p.breakable(row.Note)
			p.add("</td></tr>\n")
		}
	}
	p.add("</tbody>\n</table>\n")
	if listed > maxChanges {
		p.add("<p>And ")
		p.text(plural(listed-maxChanges, "other change"))
		p.add(": see the column of the changes.</p>\n")
	}
}

// symbols are the marks of the table. A square is a capability that the target has, a
// diamond one that amounts to root, and an outline one that it can gain. An arrow is for
// one that ordinary programs that it executes have.
const symbols markup = `<svg class="defs" aria-hidden="true">
<symbol id="h" viewBox="0 0 16 16"><rect x="2" y="2" width="12" height="12" rx="2"/></symbol>
<symbol id="hc" viewBox="0 0 16 16"><rect x="2" y="2" width="12" height="12" rx="2"/><path class="cut" d="M4.5 6h7L8 11z"/></symbol>
<symbol id="r" viewBox="0 0 16 16"><path d="M8 0l8 8-8 8-8-8z"/></symbol>
<symbol id="rc" viewBox="0 0 16 16"><path d="M8 0l8 8-8 8-8-8z"/><path class="cut" d="M4.5 6h7L8 11z"/></symbol>
<symbol id="l" viewBox="0 0 16 16"><rect class="line" x="3" y="3" width="10" height="10" rx="2"/></symbol>
<symbol id="lc" viewBox="0 0 16 16"><rect class="line" x="3" y="3" width="10" height="10" rx="2"/><path d="M5 6.5h6L8 10.5z"/></symbol>
</svg>
`

// legend explains the marks and the columns.
const legend markup = `<section class="legend" aria-label="Legend">
<dl class="marks">
<div><dt><svg class="mr"><use href="#r"/></svg></dt><dd>has it, and it amounts to root</dd></div>
<div><dt><svg class="mh"><use href="#h"/></svg></dt><dd>has it</dd></div>
<div><dt><svg class="mr"><use href="#rc"/></svg> <svg class="mh"><use href="#hc"/></svg></dt><dd>has it, and so do the programs that it executes</dd></div>
<div><dt><svg class="ml"><use href="#l"/></svg></dt><dd>lacks it, and can gain it later</dd></div>
</dl>
<dl>
<div><dt>uid</dt><dd>user that the program runs as; <em>caller</em>: the profile declares none; <em>not declared</em>: the platform or the image decides the user, which may be root</dd></div>
<div><dt>nnp</dt><dd>no_new_privs: set-user-ID bits and file capabilities grant nothing</dd></div>
<div><dt>locks</dt><dd>locked securebits; with <em>noroot</em>, uid 0 gains no capabilities</dd></div>
<div><dt>has</dt><dd>number of capabilities of the program</dd></div>
<div><dt>passes on</dt><dd>number that the programs it executes have</dd></div>
<div><dt>later</dt><dd>number that it lacks and can gain later</dd></div>
</dl>
</section>
`

// changeMark returns the class and the sign of a kind of change.
func changeMark(kind render.Kind) (class, sign markup) {
	switch kind {
	case render.Widened:
		return "wide", "▲ "
	case render.Narrowed:
		return "less", "▼ "
	case render.New:
		return "wide", "+ "
	case render.Removed:
		return "less", "− "
	case render.Incomparable:
		return "wide", "≠ "
	case render.Invalid:
		return "wide", "! "
	case render.Changed:
		return "other", "~ "
	}
	return "quiet", ""
}
