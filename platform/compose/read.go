package compose

import (
	"slices"
	"strconv"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
	"caprun/policy"
)

// Read returns the services of a Compose file as an engine starts them.
func Read(f declared.File, engine containers.Engine) declared.Result {
	documents, found := tree.ReadCompose(f)
	if len(found) > 0 {
		return declared.Result{Findings: found}
	}
	c := composition{engine: engine}
	for n, d := range documents {
		c.number = n
		c.document(d)
	}
	if len(c.processes) == 0 && !policy.HasErrors(c.found.List) {
		at := declared.Source{File: f.Name, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}}
		c.found.Add(declared.NoProcess, at, "", "no service is declared")
	}
	return declared.NewResult(c.processes, c.found)
}

type composition struct {
	engine    containers.Engine
	processes []*declared.Process
	found     declared.Findings // outside of services
	number    int               // of the document
	documents map[string]int    // of the services
}

// document reads the services of a document.
func (c *composition) document(n *tree.Node) {
	if n.Kind != tree.Mapping {
		c.found.Add(declared.Syntax, n.Source(), "name a file with the key services", "the document is not a mapping")
		return
	}
	for _, e := range n.Entries {
		switch {
		case strings.HasPrefix(e.Key, "x-") || slices.Contains(topFields[:], e.Key):
		default:
			hint := ""
			if meant := policy.Suggest(e.Key, topFields[:]); meant != "" {
				hint = "did you mean " + meant + "?"
			}
			c.found.Add(declared.Syntax, e.KeySource(), hint, "unknown key %q", containers.Short(e.Key))
		}
	}
	if e, ok := n.Entry("include"); ok && len(e.Value.List()) > 0 {
		c.found.Add(declared.UnknownValue, e.KeySource(), "read those files, too", "more services are in other files")
	}
	for _, key := range [...]string{"services", "jobs"} {
		if services := n.Get(key); services != nil {
			c.services(key, services)
		}
	}
}

// services reads services or jobs.
func (c *composition) services(key string, services *tree.Node) {
	if services.Kind != tree.Mapping {
		c.found.Add(declared.Syntax, services.Source(), "write NAME: {image: IMAGE}", "%s is not a mapping", key)
		return
	}
	for _, e := range services.Entries {
		switch {
		case len(c.processes) == declared.MaxProcesses:
			c.found.Add(declared.Syntax, e.KeySource(), "split the file", "the file has more than %d services", declared.MaxProcesses)
			return
		case strings.HasPrefix(e.Key, "x-"):
		case e.Value.Kind != tree.Mapping:
			c.found.Add(declared.Syntax, e.KeySource(), "write a mapping", "the service %q is not a mapping", containers.Short(e.Key))
		case c.isRepeated(key + "." + e.Key):
			c.found.Add(declared.Syntax, e.KeySource(), "read the output of docker compose config", "the service %q is in another document, too, and engines merge the two", containers.Short(e.Key))
		default:
			c.processes = append(c.processes, c.service(e))
		}
	}
}

// isRepeated reports whether an earlier document has a service.
func (c *composition) isRepeated(name string) bool {
	number, ok := c.documents[name]
	if !ok {
		if c.documents == nil {
			c.documents = map[string]int{}
		}
		c.documents[name] = c.number
	}
	return ok && number != c.number
}

// service is a service of the file.
type service struct {
	containers.Draft
	engine containers.Engine
	node   *tree.Node
}

// service reads a service.
func (c *composition) service(e tree.Entry) *declared.Process {
	s := &service{
		engine: c.engine, node: e.Value,
		Draft: containers.Draft{Process: &declared.Process{Name: containers.Short(e.Key), At: e.KeySource()}},
	}
	s.ClearEnv()
	for _, e := range s.node.Entries {
		if strings.HasPrefix(e.Key, "x-") || slices.Contains(serviceFields[:], e.Key) || e.Key == "triggers" {
			continue
		}
		hint := ""
		if meant := policy.Suggest(e.Key, serviceFields[:]); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		s.AddFinding(declared.Refused, e.KeySource(), hint, "Compose refuses the unknown key %q", containers.Short(e.Key))
	}
	if e, ok := s.entry("extends"); ok {
		s.AddFinding(declared.UnknownValue, e.KeySource(), "read the output of docker compose config", "the service has more declarations in the service that it extends")
	}
	user, notRoot := s.user()
	s.security()
	s.capabilities(user, notRoot)
	s.limits()
	s.umask()
	s.environment()
	s.command()
	s.losses()
	s.otherCommands()
	return s.Process
}

// entry returns an entry of the service that is not null.
func (s *service) entry(key string) (tree.Entry, bool) {
	e, ok := s.node.Entry(key)
	return e, ok && !e.Value.Null
}

// hasDefaults reports whether the defaults of the variables in a text give a value.
func hasDefaults(text string) bool {
	_, ok := withDefaults(text, 0)
	return ok
}

// value returns the text of a scalar without the escape $$, and with the defaults of
// variables. It reports a text with a variable. ok is false for one without a default.
func (s *service) value(n *tree.Node, at declared.Source, key string) (text string, ok bool) {
	text, ok = plain(n.Text())
	if !ok {
		s.AddFinding(declared.UnknownValue, at, "read the output of docker compose config", "the value of %s has a variable: %s", key, containers.Short(n.Text()))
		text, ok = withDefaults(text, 0)
	}
	return text, ok
}

// number is value for a text or a number. A notation that other readers can take for another
// number is an error.
func (s *service) number(n *tree.Node, at declared.Source, key string) (text string, ok bool) {
	v, isNumber := n.Number()
	text = strconv.FormatInt(v, 10)
	if !isNumber || n.Tag != "!!int" || text == n.Value {
		return s.value(n, at, key)
	}
	s.AddFinding(declared.Syntax, at, "write "+text, "%s is not in plain decimal digits: Compose reads %s as %s, and other readers can differ", key, containers.Short(n.Value), text)
	return text, true
}

// plain returns a text without the escape $$. ok is false if it has a variable.
func plain(text string) (string, bool) {
	if !strings.Contains(text, "$") {
		return text, true
	}
	var b strings.Builder
	for at := 0; at < len(text); at++ {
		if text[at] != '$' {
			b.WriteByte(text[at])
			continue
		}
		if at+1 < len(text) && text[at+1] == '$' {
			b.WriteByte('$')
			at++
			continue
		}
		return text, false
	}
	return b.String(), true
}

// refuse reports a value that Compose refuses because of its type.
func (s *service) refuse(at declared.Source, key, want string) {
	s.AddFinding(declared.Refused, at, "", "Compose refuses %s: the value is not %s", key, want)
}

// boolean returns the value of a key, which can be in quotes.
func (s *service) boolean(key string) (v bool, at declared.Source) {
	e, ok := s.entry(key)
	if !ok {
		return false, at
	}
	text, ok := s.value(e.Value, e.Source(), key)
	if !ok {
		return false, e.Source()
	}
	if v, ok = tree.ParseBool(text); !ok || !e.Value.IsText() {
		s.refuse(e.Source(), key, "a boolean")
	}
	return v, e.Source()
}

// texts returns the items of a list of texts. Groups can be numbers.
func (s *service) texts(key string) (list []containers.Word) {
	e, ok := s.entry(key)
	if !ok {
		return nil
	}
	if e.Value.Kind != tree.List {
		s.refuse(e.Source(), key, "a list of texts")
	}
	for _, item := range e.Value.Items {
		at := item.Source()
		at.Text = key + ": " + at.Text
		if v, number := item.Number(); !item.IsString() && (!number || item.Tag != "!!int" || v < 0 || key != "group_add") {
			s.refuse(at, key, "a list of texts")
			continue
		}
		if text, ok := s.number(item, at, key); ok {
			list = append(list, containers.Word{Text: text, At: at})
		}
	}
	return list
}
