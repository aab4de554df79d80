package oci

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"caprun/internal/profiletext"
	"caprun/platform/declared"
	"caprun/platform/internal/jsontree"
	"caprun/policy"
)

// Read returns the process of a config.json. A file without one, or that a runtime would not
// read as it stands, has findings and no process.
func Read(f declared.File) declared.Result {
	start := policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 2}
	r := &reader{file: f.Name}
	if err := f.Check(); err != nil {
		r.refuse(start, "", "%v", err)
		return declared.Result{Findings: r.refused.List}
	}
	root, err := jsontree.Parse(f.Text)
	var failed *jsontree.Error
	if errors.As(err, &failed) {
		r.refuse(failed.Position, failed.Hint, "%s", failed.Message)
		return declared.Result{Findings: r.refused.List}
	}
	if root.Kind != jsontree.Object {
		r.refuse(root.Position, "", "config.json must be an object, not %s", root.Kind)
		return declared.Result{Findings: r.refused.List}
	}
	r.read(root)
	if r.refused.List != nil {
		return declared.Result{Findings: r.refused.List}
	}
	r.bound()
	return declared.NewResult([]*declared.Process{r.p}, declared.Findings{})
}

// reader reads a config.json.
type reader struct {
	file string
	p    *declared.Process

	// refused are the findings because of which the file is not read.
	refused declared.Findings
}

// rootKeys are the keys of the file that the reader accepts.
var rootKeys = [...]string{
	"ociVersion", "process", "root", "hostname", "domainname", "mounts", "hooks", "annotations", "linux",
	"solaris", "windows", "vm", "zos",
}

func (r *reader) read(root *jsontree.Node) {
	r.checkKeys(root, rootKeys[:], false)
	process, ok := r.member(root, "process", jsontree.Object)
	if !ok {
		if r.refused.List == nil {
			r.refused.Add(declared.NoProcess, r.source(root.Position, ""), "", "no process is declared")
		}
		return
	}
	r.p = &declared.Process{At: r.source(process.At, `"process"`)}
	if host, ok := r.member(root, "hostname", jsontree.String); ok {
		r.p.Name = bounded(host.Value.Text)
	}
	r.process(process.Value)
	r.surroundings(root)
}

// refuse records why the file is not read.
func (r *reader) refuse(at policy.Position, hint, format string, args ...any) {
	r.refused.Add(declared.Syntax, r.source(at, ""), hint, format, args...)
}

// source returns a declaration of the file.
func (r *reader) source(at policy.Position, text string) declared.Source {
	return declared.Source{File: r.file, Position: at, Text: text}
}

// of returns a member as a declaration. The text of an array or an object is its key.
func (r *reader) of(m jsontree.Member) declared.Source {
	text := `"` + bounded(m.Key) + `"`
	if m.Value.Kind < jsontree.Array {
		value := bounded(m.Value.Text)
		if m.Value.Kind == jsontree.String {
			value = `"` + value + `"`
		}
		text += ": " + value
	}
	at := m.At
	at.EndLine, at.EndColumn = m.Value.EndLine, m.Value.EndColumn
	return r.source(at, text)
}

// checkKeys refuses keys that differ from a known key in their case only: for runc they are
// the same. If strict, it reports every other unknown key: it is ignored.
func (r *reader) checkKeys(object *jsontree.Node, known []string, strict bool) {
	for _, m := range object.Members {
		if slices.Contains(known, m.Key) {
			continue
		}
		same := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, m.Key) })
		switch {
		case same >= 0:
			r.refuse(m.At, "write "+known[same], "unknown key %s: runc reads it as %s, and crun ignores it", shown(m.Key), known[same])
		case strict && r.p != nil:
			hint := "remove it"
			if meant := policy.Suggest(m.Key, known); meant != "" {
				hint = "write " + meant
			}
			r.p.AddFinding(declared.Ignored, r.of(m), hint, "unknown key %s: the runtime ignores it", shown(m.Key))
		}
	}
}

// member returns a member with a value of the type. A value of another type is refused: runc
// refuses it, and crun takes it for absent.
func (r *reader) member(object *jsontree.Node, key string, kind jsontree.Kind) (jsontree.Member, bool) {
	m, ok := object.Member(key)
	if ok && m.Value.Kind != kind {
		r.refuse(m.Value.Position, "", "%s must be %s, not %s", key, kind, m.Value.Kind)
		return m, false
	}
	return m, ok
}

// strings returns the items of an array of strings.
func (r *reader) strings(m jsontree.Member) []*jsontree.Node {
	var list []*jsontree.Node
	for _, item := range m.Value.Items {
		if item.Kind != jsontree.String {
			r.refuse(item.Position, "", "%s must have strings only, not %s", m.Key, item.Kind)
			continue
		}
		list = append(list, item)
	}
	return list
}

// bound removes what makes the profile too large, beginning with the largest values.
func (r *reader) bound() {
	p := r.p
	drop := func(key string, remove func()) {
		at := p.At
		if from := p.Origins[key]; len(from) > 0 {
			at = from[0]
		}
		p.AddLoss(at, "%s is too large for a profile", key)
		remove()
	}
	for _, step := range [...]struct {
		key    string
		remove func()
	}{
		{"env", func() { p.Profile.Env = nil }},
		{"command", func() { p.Profile.Command = nil }},
		{"groups", func() { p.Profile.Groups = nil }},
	} {
		trial := *p
		if _, err := trial.Document(); err == nil {
			return
		}
		drop(step.key, step.remove)
	}
}

// accepts reports whether a profile can have the values of p.
func accepts(p policy.Profile) bool {
	_, _, err := profiletext.Write(&p, nil)
	return err == nil
}

// bounded returns text that fits in a message or a comment.
func bounded(s string) string {
	const longest = 200
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}

// shown returns text of the file for a message.
func shown(s string) string { return fmt.Sprintf("%q", bounded(s)) }
