package review

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// placeholders are the words that a user replaces in a hint.
var placeholders = strings.NewReplacer("NUMBER", "7", "NAME", "x", "WHY", "because")

// follow applies an alternative of the hint of a finding literally. announced is the
// message of an error that the words announce. ok is false if it does not know the
// words.
func follow(text string, f Finding, words string) (changed, announced string, ok bool) {
	e := editor{text: text, finding: f}
	e.parse()
	ok = e.locate() && e.follow(words)
	return e.text, e.announced, ok
}

// alternatives splits a hint at ", or ", without the explanation after a semicolon.
func alternatives(hint string) []string {
	if then.MatchString(hint) {
		return []string{hint}
	}
	if words, _, _ := strings.Cut(hint, "; "); wrong.MatchString(words) || but.MatchString(words) {
		return []string{words}
	}
	var list []string
	for hint != "" {
		end, next := len(hint), len(hint)
		for n := range outside(hint) {
			if strings.HasPrefix(hint[n:], "; ") {
				end, next = n, len(hint)
				break
			}
			if strings.HasPrefix(hint[n:], ", or ") {
				end, next = n, n+len(", or ")
				break
			}
		}
		list = append(list, hint[:end])
		hint = hint[next:]
	}
	return list
}

// outside yields the bytes of a text that are not in quotes or brackets.
func outside(text string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		depth, quote := 0, byte(0)
		for n := 0; n < len(text); n++ {
			switch c := text[n]; {
			case quote == '"' && c == '\\':
				n++
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case (c == '"' || c == '\'') && (n == 0 || strings.IndexByte(" [{,:", text[n-1]) >= 0):
				quote = c
			case c == '[' || c == '{' || c == '(':
				depth++
			case c == ']' || c == '}' || c == ')':
				depth--
			case depth == 0:
				if !yield(n) {
					return
				}
			}
		}
	}
}

// An editor changes a file at the place of a finding.
type editor struct {
	text       string
	finding    Finding
	begin, end int // of the finding

	// Where the finding is in the tree: the mapping or list that contains it, and the
	// index of the key or the item. holder is nil if the file is not valid YAML, or
	// the finding is inside a scalar.
	root, holder *yaml.Node
	index        int
	above        []*yaml.Node // what the holder is in, the innermost first

	announced string
}

// parse parses the current text.
func (e *editor) parse() {
	var document yaml.Node
	if yaml.Unmarshal([]byte(e.text), &document) == nil && len(document.Content) == 1 {
		e.root = document.Content[0]
	}
}

func (e *editor) locate() (ok bool) {
	e.begin, e.end, ok = span(e.text, e.finding.Position)
	if e.root != nil {
		e.find(e.root)
	}
	return ok
}

// find finds the innermost key, value or item that begins where the finding begins.
func (e *editor) find(n *yaml.Node) bool {
	for i, child := range n.Content {
		if e.find(child) {
			e.above = append(e.above, n)
			return true
		}
		if child.Line == e.finding.Line && child.Column == e.finding.Column {
			e.holder, e.index = n, i
			if n.Kind == yaml.MappingNode {
				e.index = i &^ 1
			}
			return true
		}
	}
	return false
}

// value returns the value that a hint shows, without an explanation after it.
func value(words string) string {
	for n := range outside(words) {
		for _, end := range []string{" to ", " if ", " for ", " without ", " in ", " and ", " instead of "} {
			if n > 0 && strings.HasPrefix(words[n:], end) {
				return words[:n]
			}
		}
	}
	return words
}

var (
	keyValue = regexp.MustCompile(`^([a-z_]+): (.+)$`)
	example  = regexp.MustCompile(`^[a-z].*, for example ((?:["\[{^]|[a-z_0-9]+(?:,\S+)?$|[a-z_]+: |[0-9]).*)$`)
	lines    = regexp.MustCompile(`^delete (?:lint|the entry) on lines? (\d+)(?: to (\d+))?$`)
	wrong    = regexp.MustCompile(`^the (?:key|securebit) is ([a-z_]+), (?:and its value is wrong too: |but )(.+)$`)
	but      = regexp.MustCompile(`^(write [a-z_]+: .+), but ([a-z]+ (?:requires|and) .+)$`)
	together = regexp.MustCompile(`^(?:the key is ([a-z_]+)|(write .+)), and (\S+) on line \d+ is ([a-z_]+)$`)
	then     = regexp.MustCompile(`^declare (caps: .+), and correct what then fails: (.+)$`)
	instead  = regexp.MustCompile(`^write ([a-z_]+: .+) instead of (\w+)$`)
	amount   = regexp.MustCompile(`^(?:lower soft|raise (hard)) to (\w+)$`)
)

// follow applies one alternative.
func (e *editor) follow(words string) bool {
	words = placeholders.Replace(words)
	if m := wrong.FindStringSubmatch(words); m != nil {
		e.announced = m[2]
		return e.replace(m[1])
	}
	if m := but.FindStringSubmatch(words); m != nil {
		e.announced = m[2]
		return e.follow(m[1])
	}
	if m := together.FindStringSubmatch(words); m != nil {
		if m[1] != "" && !e.replace(m[1]) || m[2] != "" && !e.follow(m[2]) {
			return false
		}
		e.text = strings.Replace(e.text, m[3]+":", m[4]+":", 1)
		return true
	}
	if m := then.FindStringSubmatch(words); m != nil {
		e.announced = m[2]
		return e.follow("write " + m[1])
	}
	if m := instead.FindStringSubmatch(words); m != nil && keyIndex(e.mapping(), m[2]) >= 0 {
		begin, end := entrySpan(e.text, e.mapping(), keyIndex(e.mapping(), m[2]))
		return e.splice(begin, end, m[1])
	}
	if m := lines.FindStringSubmatch(words); m != nil {
		first, _ := strconv.Atoi(m[1])
		last, err := strconv.Atoi(m[2])
		if err != nil {
			last = first
		}
		all := strings.SplitAfter(e.text, "\n")
		e.text = strings.Join(slices.Delete(all, first-1, last), "")
		return true
	}
	if m := amount.FindStringSubmatch(words); m != nil {
		key := "soft"
		if m[1] != "" {
			key = "hard"
		}
		return e.writeKey(key, m[2])
	}
	if m := example.FindStringSubmatch(words); m != nil {
		shown := value(m[1])
		if m := keyValue.FindStringSubmatch(shown); m != nil && !strings.HasPrefix(words, "write") && keyIndex(e.root, m[1]) < 0 {
			return e.insert(e.root, []string{shown})
		}
		words = "write " + shown
	}
	if e.changeCaps(words) || e.changeAt(words) {
		return true
	}
	verb, object, _ := strings.Cut(words, " ")
	switch verb {
	case "did":
		word, ok := strings.CutPrefix(strings.TrimSuffix(object, "?"), "you mean ")
		return ok && e.replace(word)
	case "write":
		if sample, ok := samples[object]; ok {
			object = sample
		}
		if object = value(object); samples[object] != "" {
			object = samples[object]
		}
		if m := regexp.MustCompile(`^a limit from (\d+) to `).FindStringSubmatch(words[len("write "):]); m != nil {
			object = m[1]
		}
		if m := keyValue.FindStringSubmatch(object); m != nil {
			return e.writeKey(m[1], m[2])
		}
		if m := regexp.MustCompile(`^(\{.*\}|\[.*\]|".*"|\S+)$`).FindStringSubmatch(object); m == nil {
			return false
		}
		return isValue(object) && e.replace(object)
	case "use":
		list, ok := strings.CutPrefix(object, "one of ")
		first, _, _ := strings.Cut(list, ",")
		return ok && e.replace(first)
	case "add":
		return e.add(object)
	case "replace":
		return object == "it with a line feed" && e.splice(e.begin, e.end, "\n")
	case "remove":
		return e.remove(object)
	}
	return false
}

// isValue reports whether words are one YAML value: one word, or text in quotes or
// brackets.
func isValue(words string) bool {
	var document yaml.Node
	if words == "" || yaml.Unmarshal([]byte(words), &document) != nil || len(document.Content) != 1 {
		return false
	}
	n := document.Content[0]
	return n.Style != 0 || n.Kind == yaml.ScalarNode && !strings.Contains(words, " ")
}

func (e *editor) splice(begin, end int, by string) bool {
	e.text = e.text[:begin] + by + e.text[end:]
	return true
}

// inPlace returns a value for a holder. In brackets a text with a comma needs quotes, as
// every text does in JSON.
func inPlace(holder *yaml.Node, value string) string {
	if holder != nil && holder.Style&yaml.FlowStyle != 0 && strings.Contains(value, ",") && !strings.ContainsAny(value[:1], "\"'[{") {
		return strconv.Quote(value)
	}
	return value
}

// replace replaces the text at the finding. If that is a whole scalar and the message is
// about one word of it, it replaces the word.
func (e *editor) replace(by string) bool {
	if e.holder != nil {
		n := e.holder.Content[e.index]
		if e.holder.Kind == yaml.MappingNode && (n.Line != e.finding.Line || n.Column != e.finding.Column) {
			n = e.holder.Content[e.index+1]
		}
		word, err := strconv.QuotedPrefix(strings.TrimPrefix(e.finding.Message, "unknown capability "))
		word, unquoteErr := strconv.Unquote(word)
		if err == nil && unquoteErr == nil && n.Kind == yaml.ScalarNode && n.Value != word && strings.Contains(n.Value, word) && e.text[e.begin:e.end] != word {
			begin, end := entrySpan(e.text, e.holder, e.index)
			changed := strconv.Quote(strings.Replace(n.Value, word, by, 1))
			if e.holder.Kind == yaml.MappingNode {
				changed = e.holder.Content[e.index].Value + ": " + changed
			}
			return e.splice(begin, end, changed)
		}
		if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 && e.holder.Kind == yaml.MappingNode {
			return e.writeKey(e.holder.Content[e.index].Value, by)
		}
	}
	return e.splice(e.begin, e.end, inPlace(e.holder, by))
}

// mapping returns the mapping at the finding, or the one that contains it. Findings about
// the whole profile are at its version.
func (e *editor) mapping() *yaml.Node {
	if e.holder == nil {
		return e.root
	}
	if n := e.holder.Content[e.index]; e.holder.Kind != yaml.MappingNode && n.Kind == yaml.MappingNode {
		return n
	}
	if e.holder.Kind == yaml.MappingNode {
		if n := e.holder.Content[e.index+1]; n.Kind == yaml.MappingNode && n.Line == e.finding.Line && n.Column == e.finding.Column {
			return n
		}
		return e.holder
	}
	return e.root
}

// keyIndex returns the index of a key in a mapping, or -1.
func keyIndex(mapping *yaml.Node, key string) int {
	for i := 0; mapping.Kind == yaml.MappingNode && i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// writeKey replaces the value of a key, or the key at the finding.
func (e *editor) writeKey(key, value string) bool {
	holder, i := e.mapping(), -1
	if holder != nil {
		i = keyIndex(holder, key)
	}
	for _, above := range e.above {
		if i < 0 {
			holder, i = above, keyIndex(above, key)
		}
	}
	if i < 0 {
		holder, i = e.holder, e.index
	}
	if holder == nil || holder.Kind != yaml.MappingNode {
		return false
	}
	begin, end := entrySpan(e.text, holder, i)
	if n := holder.Content[i+1]; n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle != 0 && n.Line == e.finding.Line && n.Column == e.finding.Column {
		end = e.end // the closing bracket can be on a line without indentation
	}
	return e.splice(begin, end, key+": "+inPlace(holder, value))
}

// add adds keys to the mapping of the finding, or items to its list.
func (e *editor) add(object string) bool {
	if !strings.Contains(object, ": ") {
		return e.addItems(object)
	}
	holder := e.mapping()
	if holder == nil || holder.Kind != yaml.MappingNode {
		return false
	}
	var added []string
	for part := range strings.SplitSeq(object, " and ") {
		part = value(part)
		m := keyValue.FindStringSubmatch(part)
		if m == nil || keyIndex(holder, m[1]) >= 0 {
			return false
		}
		added = append(added, part)
	}
	return e.insert(holder, added)
}

// insert adds entries at the beginning of a mapping or a list.
func (e *editor) insert(holder *yaml.Node, added []string) bool {
	at := offsetOf(e.text, holder.Line, holder.Column)
	if holder.Style&yaml.FlowStyle != 0 {
		more := strings.Join(added, ", ")
		if len(holder.Content) > 0 {
			more += ", "
		}
		return e.splice(at+1, at+1, more)
	}
	if holder.Kind == yaml.SequenceNode {
		for n := range added {
			added[n] = "- " + added[n]
		}
	}
	indent := "\n" + strings.Repeat(" ", holder.Column-1)
	return e.splice(at, at, strings.Join(added, indent)+indent)
}

func (e *editor) addItems(object string) bool {
	items := strings.Split(value(object), ", ")
	list := e.holder
	if list != nil && list.Kind == yaml.MappingNode {
		list = list.Content[e.index+1]
	}
	for _, item := range items {
		if !isValue(item) {
			return false
		}
	}
	return list != nil && list.Kind == yaml.SequenceNode && e.insert(list, items)
}

// remove removes the text at the finding, or the key or item that the object names.
func (e *editor) remove(object string) bool {
	switch object {
	case "it":
		if e.holder == nil || e.text[e.begin:e.end] == "" {
			return e.splice(e.begin, e.end, "")
		}
		return e.removeAt(e.holder, e.index)
	case "the key", "caps from the entry", "one of them", "it from one of them":
		return e.holder != nil && e.removeAt(e.holder, e.index)
	case "the line":
		all := strings.SplitAfter(e.text, "\n")
		e.text = strings.Join(slices.Delete(all, e.finding.Line-1, e.finding.Line), "")
		return true
	case "the tag":
		return e.splice(e.begin, e.end, "")
	case "it from one of the entries":
		return e.holder != nil && e.holder.Kind == yaml.SequenceNode && e.removeAt(e.holder, e.index)
	case "the entry", "one of the entries":
		for _, list := range listsOf(e.root) {
			for i, item := range list.Content {
				if item.Kind == yaml.MappingNode && contains(item, e.holder) {
					return e.removeAt(list, i)
				}
			}
		}
		return false
	}
	// A key of the profile, or an item of the list of the finding.
	name, list, ok := strings.Cut(object, " from ")
	name, other, both := strings.Cut(name, " or ")
	switch {
	case ok && e.holder != nil && e.root != nil && keyIndex(e.root, list) >= 0 && keyIndex(e.holder, name) >= 0:
		return e.removeAt(e.holder, keyIndex(e.holder, name))
	case ok:
		return e.holder != nil && e.holder.Kind == yaml.SequenceNode && name == "it" && e.removeAt(e.holder, e.index)
	case both && keyIndex(e.root, other) < 0:
		return false
	case e.root != nil && keyIndex(e.root, name) >= 0:
		return e.removeAt(e.root, keyIndex(e.root, name))
	case e.holder != nil && e.holder.Kind == yaml.SequenceNode && e.holder.Content[e.index].Value == name:
		return e.removeAt(e.holder, e.index)
	}
	return false
}

func listsOf(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	var lists []*yaml.Node
	if n.Kind == yaml.SequenceNode {
		lists = append(lists, n)
	}
	for _, child := range n.Content {
		lists = append(lists, listsOf(child)...)
	}
	return lists
}

// contains reports whether other is n or below it.
func contains(n, other *yaml.Node) bool {
	return n == other || slices.ContainsFunc(n.Content, func(child *yaml.Node) bool { return contains(child, other) })
}
