// Package outputs compares the published schemas of JSON output with real output and with
// the Go types that encode it. Tests call its functions.
//
// A published schema allows unknown properties, because a consumer must ignore them. The
// tests must notice one, so Validate closes every object first. It also closes the lists
// of values to which a later release may add some.
package outputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"caprun/schema"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// OpenList is the sentence in the description of a property whose values can become more.
// The property has the known ones as examples.
const OpenList = "Other values can be added."

// Validate returns an error unless text is one JSON value that the closed form of the
// schema with a name accepts.
func Validate(name string, text []byte) error {
	closed, err := compileClosed(name)
	if err != nil {
		return err
	}
	value, err := decode(text)
	if err != nil {
		return err
	}
	if err := closed.Validate(value); err != nil {
		return fmt.Errorf("the output does not match %s.schema.json: %#v", name, err)
	}
	return nil
}

// MatchFile fails the test unless the closed schema with a name accepts a file.
func MatchFile(t testing.TB, name, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(name, text); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

// closedSchemas has the closed schemas that were compiled, by name.
var closedSchemas sync.Map

// compileClosed compiles the closed schema with a name once.
func compileClosed(name string) (*jsonschema.Schema, error) {
	if s, ok := closedSchemas.Load(name); ok {
		return s.(*jsonschema.Schema), nil
	}
	s, err := compile(name, true)
	if err == nil {
		closedSchemas.Store(name, s)
	}
	return s, err
}

// compile compiles the schema with a name as draft-07, closed or as published.
func compile(name string, closed bool) (*jsonschema.Schema, error) {
	root, err := read(name)
	if err != nil {
		return nil, err
	}
	if closed {
		eachSchema("", root, func(_ string, s map[string]any) { closeSchema(s) })
	}
	text, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	c.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, errors.New("reference to another document: " + url)
	}
	if err := c.AddResource(name, bytes.NewReader(text)); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// read returns the published schema with a name.
func read(name string) (map[string]any, error) {
	text, ok := schema.Named(name)
	if !ok {
		return nil, fmt.Errorf("unknown schema %q", name)
	}
	value, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s.schema.json: %w", name, err)
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s.schema.json: not an object", name)
	}
	return root, nil
}

// decode decodes exactly one JSON value.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return value, nil
}

// closeSchema forbids unknown properties and unknown values.
func closeSchema(s map[string]any) {
	if _, ok := s["properties"]; ok {
		s["additionalProperties"] = false
	}
	if about, _ := s["description"].(string); strings.Contains(about, OpenList) {
		s["enum"] = s["examples"]
	}
}

// eachSchema calls fn with s and with every schema below it. at is its JSON pointer.
func eachSchema(at string, s map[string]any, fn func(at string, s map[string]any)) {
	fn(at, s)
	for _, keyword := range []string{"properties", "definitions"} {
		named, _ := s[keyword].(map[string]any)
		for name, sub := range named {
			if sub, ok := sub.(map[string]any); ok {
				eachSchema(at+"/"+keyword+"/"+name, sub, fn)
			}
		}
	}
	if items, ok := s["items"].(map[string]any); ok {
		eachSchema(at+"/items", items, fn)
	}
}
