package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"caprun/internal/sanitize"
)

// A node is an element of a parsed page, or text.
type node struct {
	name     string // empty for text
	text     string
	attr     map[string]string
	children []*node
}

// parse reads a page as XML: it is well-formed, and each attribute is given once.
func parse(t *testing.T, text []byte) *node {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("<!DOCTYPE html>\n"))))
	root := &node{}
	stack := []*node{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root
		}
		if err != nil {
			t.Fatal(err)
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := n.attr[a.Name.Local]; twice {
					t.Errorf("<%s> has %s twice", n.name, a.Name.Local)
				}
				n.attr[a.Name.Local] = a.Value
			}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.children = append(top.children, &node{text: string(token)})
		default:
			t.Errorf("unexpected %T in the page", token)
		}
	}
}

// each calls visit with n and everything below it.
func (n *node) each(visit func(*node)) {
	visit(n)
	for _, c := range n.children {
		c.each(visit)
	}
}

// all returns the elements with a name below n.
func (n *node) all(name string) (found []*node) {
	n.each(func(c *node) {
		if c.name == name {
			found = append(found, c)
		}
	})
	return found
}

// content returns the text below n.
func (n *node) content() string {
	var b strings.Builder
	n.each(func(c *node) { b.WriteString(c.text) })
	return b.String()
}

// page returns the page of a report.
func pageOf(t *testing.T, r *Report) ([]byte, *node) {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b, "out"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), parse(t, b.Bytes())
}

// allowed are the elements of a page, and their attributes.
var allowed = map[string]string{
	"": "", "html": "lang", "head": "", "meta": "charset http-equiv content name", "title": "", "style": "", "body": "", "header": "", "main": "",
	"h1": "", "h2": "id", "h3": "", "h4": "", "p": "id", "ul": "class", "li": "class", "strong": "", "em": "", "b": "", "br": "", "wbr": "", "bdi": "", "code": "",
	"dl": "class", "div": "class", "dt": "", "dd": "", "section": "class id aria-label", "span": "class", "abbr": "title", "a": "href class title",
	"table": "class", "caption": "", "thead": "", "tbody": "", "tfoot": "", "tr": "class id", "th": "class scope colspan rowspan title", "td": "class colspan",
	"svg": "class role aria-hidden", "symbol": "id viewBox", "use": "href", "rect": "x y width height rx class", "path": "d class",
}

// checkPage checks what every page must fulfil.
func checkPage(t *testing.T, text []byte, page *node) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Error("the page is not UTF-8")
	}
	if clean := sanitize.Lines(string(text)); clean != string(text) {
		t.Error("the page has control characters")
	}
	ids, classes := map[string]int{}, map[string]bool{}
	page.each(func(n *node) {
		attributes, known := allowed[n.name]
		if !known {
			t.Errorf("element %s", n.name)
		}
		for name := range n.attr {
			if !slices.Contains(strings.Fields(attributes), name) {
				t.Errorf("attribute %s of %s", name, n.name)
			}
		}
		ids[n.attr["id"]]++
		for _, class := range strings.Fields(n.attr["class"]) {
			classes[class] = true
		}
	})
	delete(ids, "")
	for id, count := range ids {
		if count > 1 {
			t.Errorf("%d elements have the id %s", count, id)
		}
	}
	for class := range classes {
		if !strings.Contains(style, "."+class) && !slices.Contains([]string{"severity", "text", "num", "name"}, class) {
			t.Errorf("no style for class %s", class)
		}
	}
	for _, n := range slices.Concat(page.all("a"), page.all("use")) {
		href := n.attr["href"]
		if id, local := strings.CutPrefix(href, "#"); local {
			if ids[id] == 0 {
				t.Errorf("no element has the id %s", id)
			}
		} else if n.name != "a" || href == "" || strings.Trim(href, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~/%#") != "" {
			t.Errorf("%s leads to %q", n.name, href)
		}
	}
	for _, table := range page.all("table") {
		checkTable(t, table)
	}
}

// checkTable checks that all rows of a table have the same width, and that cells have
// headings.
func checkTable(t *testing.T, table *node) {
	t.Helper()
	width, below := 0, 0
	for n, tr := range table.all("tr") {
		cells := below
		below = 0
		for _, c := range tr.children {
			span := 1
			if s := c.attr["colspan"]; s != "" {
				span, _ = strconv.Atoi(s)
			}
			if c.name == "th" && c.attr["scope"] == "" {
				t.Errorf("a heading has no scope: %s", c.content())
			}
			if cells += span; c.attr["rowspan"] == "2" {
				below += span
			}
		}
		if n == 0 {
			width = cells
		}
		if cells != width {
			t.Errorf("row %d has %d cells, want %d: %.80s", n, cells, width, tr.content())
		}
	}
	if len(table.all("caption")) != 1 || len(table.all("thead")) != 1 {
		t.Error("a table has no caption or no head")
	}
}

// TestPage: the page is well-formed, has only known elements and attributes, and its links
// and tables are complete.
func TestPage(t *testing.T) {
	text, page := pageOf(t, goldenReport(t))
	checkPage(t, text, page)
	policy := ""
	for _, m := range page.all("meta") {
		if m.attr["http-equiv"] == "Content-Security-Policy" {
			policy = m.attr["content"]
		}
	}
	if len(page.all("style")) != 1 {
		t.Fatal("want one style sheet")
	}
	sum := sha256.Sum256([]byte(page.all("style")[0].content()))
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"; policy != want {
		t.Errorf("the policy is %s, want %s", policy, want)
	}
	for _, want := range []string{"p1", "capabilities", "profiles", "net_bind_service"} {
		if !bytes.Contains(text, []byte(`id="`+want+`"`)) {
			t.Errorf("nothing has the id %s", want)
		}
	}
	// A report without rows or without capabilities is a page, too.
	for _, r := range []*Report{New(Options{}), newReport(t, Options{}, map[string]string{"a.yaml": "version: 1\nuid: 1\ngid: 1\ncaps: \"=\"\nno_new_privs: true\n"}),
		newReport(t, Options{}, map[string]string{"a.yaml": "version: 1\n"}), newReport(t, Options{}, map[string]string{"a.yaml": "?"})} {
		text, page := pageOf(t, r)
		checkPage(t, text, page)
	}
}

// TestStyle: the policy of the page names the style sheet, which ends no element and loads
// nothing.
func TestStyle(t *testing.T) {
	sum := sha256.Sum256([]byte(style))
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != styleHash {
		if !*update {
			t.Fatalf("styleHash is %s, want %s; run go test with -update", styleHash, got)
		}
		source, err := os.ReadFile("html.go")
		if err == nil {
			err = os.WriteFile("html.go", bytes.Replace(source, []byte(styleHash), []byte(got), 1), 0o644)
		}
		t.Fatalf("styleHash is updated (%v); run the tests again", err)
	}
	for _, text := range []string{"<", "&", "url(", "@import", "expression", "\\"} {
		if strings.Contains(style, text) {
			t.Errorf("the style sheet contains %q", text)
		}
	}
}

// TestContrast: text has the contrast that level AA of WCAG 2 requires, 4.5 to 1, in both
// colour schemes and in print, and marks have 3 to 1.
func TestContrast(t *testing.T) {
	schemes := regexp.MustCompile(`:root\{[^}]*\}`).FindAllString(style, -1)
	if len(schemes) != 3 {
		t.Fatalf("%d schemes", len(schemes))
	}
	for n, scheme := range schemes {
		colour := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+):#([0-9a-f]{3,6})`).FindAllStringSubmatch(scheme, -1) {
			hex := m[2]
			if len(hex) == 3 {
				hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
			}
			value, err := strconv.ParseUint(hex, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			colour[m[1]] = luminance(value)
		}
		for _, back := range []string{"bg", "band"} {
			for _, name := range []string{"fg", "quiet", "link", "root", "warn", "less", "held", "later"} {
				if got := contrast(colour[name], colour[back]); got < 4.5 {
					t.Errorf("scheme %d: %s on %s has a contrast of %.2f", n, name, back, got)
				}
			}
		}
		if got := contrast(colour["edge"], colour["bg"]); got < 3 {
			t.Errorf("scheme %d: edge has a contrast of %.2f", n, got)
		}
	}
}

// luminance returns the relative luminance of an sRGB colour.
func luminance(rgb uint64) float64 {
	sum := 0.0
	for n, weight := range []float64{0.0722, 0.7152, 0.2126} {
		c := float64(rgb>>(8*n)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

// TestColumns: the sum of each column is the number of marks in it, which are those of the
// rows.
func TestColumns(t *testing.T) {
	r := fleet(t, 200)
	_, page := pageOf(t, r)
	table := page.all("table")[0]
	groups, rest := r.columns()
	var columns []column
	for _, g := range groups {
		columns = append(columns, g.columns...)
	}
	if len(columns) < 15 || rest == 0 {
		t.Fatalf("%d columns, rest %v", len(columns), rest)
	}
	marks := make([]int, len(columns))
	rows := 0
	for _, tr := range table.all("tr") {
		cells := tr.all("td")
		if tr.attr["class"] == "class" || len(cells) != 7+len(columns)+1 {
			continue
		}
		row := r.Rows()[rows]
		rows++
		for n, c := range columns {
			text := cells[7+n].content()
			held := strings.Contains(text, ": has it")
			if held {
				marks[n]++
			}
			if held != row.Held.Has(c.cap) || strings.Contains(text, "amounts to root") != row.RootEquivalent.Has(c.cap) ||
				strings.Contains(text, "passes it on") != row.Children.Has(c.cap) || strings.Contains(text, "later") != row.Later.Has(c.cap) {
				t.Errorf("%s, %s: %q", row.Name, c.name(), text)
			}
			if text != "" && !strings.HasPrefix(text, c.name()+": ") {
				t.Errorf("%s: %q", c.name(), text)
			}
		}
	}
	if rows < 150 {
		t.Fatalf("%d rows have a plan", rows)
	}
	foot := table.all("tfoot")[0].all("td")[1:]
	for n, c := range columns {
		if got := foot[n].content(); got != fmt.Sprint(marks[n]) || c.held != marks[n] || marks[n] == 0 {
			t.Errorf("%s: %s below the column, %d marks, %d held", c.name(), got, marks[n], c.held)
		}
	}
}

// TestChanges: the page lists the first changes, and counts the others.
func TestChanges(t *testing.T) {
	for _, count := range []int{1, maxChanges, maxChanges + 1, maxChanges + 25} {
		profiles := map[string]string{}
		for n := range count {
			profiles[fmt.Sprintf("%03d.yaml", n)] = "version: 1\nuid: 33\ngid: 33\n"
		}
		text, page := pageOf(t, newReport(t, Options{Base: "HEAD"}, profiles))
		checkPage(t, text, page)
		if got := len(page.all("table")[0].all("tbody")[0].all("tr")); got != min(count, maxChanges) {
			t.Errorf("%d of %d changes are listed", got, count)
		}
		_, after, more := strings.Cut(string(text), "<p>And ")
		if want := count - maxChanges; more != (want > 0) || more && !strings.HasPrefix(after, plural(want, "other change")+":") {
			t.Errorf("%d changes: %.40q", count, after)
		}
	}
}

// TestHostile: text of a file is text in every format.
func TestHostile(t *testing.T) {
	r := New(Options{Today: today, Base: "<base>\u202e\x1b[31m"})
	for n, name := range hostileNames {
		quoted := strconv.Quote(name)
		texts := []string{
			"version: 1\nuid: 33\ngid: 33\nno_new_privs: true\ncaps: \"=\"\ndescription: " + quoted + "\n",
			"version: 1\n" + quoted + ": 1\n",
			"version: 1\nuid: 0\ngid: 0\nlint:\n  ignore:\n    - rule: no-new-privs-missing\n      reason: " + quoted + "\n",
		}
		err := errors.Join(r.Add(Source{Name: name, File: name, Text: []byte(texts[n%len(texts)]), Old: []byte(texts[(n+1)%len(texts)])}),
			r.Add(Source{Name: "x/" + name, File: "x/" + name, Err: fmt.Errorf("%s", name)}))
		if err != nil {
			t.Fatal(err)
		}
	}
	text, page := pageOf(t, r)
	checkPage(t, text, page)
	if found := page.content(); !strings.Contains(found, `"><script>alert(1)<script>`) {
		t.Error("the page does not show a name as it is")
	}
	for name, write := range formats() {
		var b bytes.Buffer
		if err := write(r, &b); err != nil {
			t.Fatal(err)
		}
		if got := sanitize.Lines(b.String()); got != b.String() {
			t.Errorf("%s has control characters", name)
		}
		if name == "table" && strings.Count(b.String(), "\n") > 3*len(r.rows)+20 {
			t.Error("a name has broken a line of the table")
		}
	}
}
