// Package schema holds the JSON schema of profiles and checks values with it.
//
// The schema is draft-07 and written for editors: every property has a title,
// a description and examples. It says what JSON Schema can say without unions;
// package policy is stricter, and its reader is the only one that explains a
// mistake. Validate checks again what that reader accepted.
//
// This is the only package that imports jsonschema. All functions may be
// called by several goroutines.
package schema

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// ID is the $id of the schema. No document is to be found there.
const ID = "urn:caprun:profile:1"

//go:embed profile.schema.json
var published string

// The published schema without the words for editors, and with what occurs
// more than once written once: compiling it takes a sixth of the time, and
// every launch does.
//
//go:generate go test -run ^TestCompactIsGenerated$ -update .
//go:embed profile.compact.json
var compact string

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(compact) })

// JSON returns the schema as published. The caller may change the bytes.
func JSON() []byte { return []byte(published) }

// Validate returns nil if v satisfies the schema. It takes what encoding/json
// makes of a document: map[string]any, []any, string, bool, nil, float64,
// json.Number, and the types int, int64 and uint64. For anything else, for a
// number that is not finite or not written in plain decimal, and for a value
// beyond the bounds of this package it returns an error, and it never panics.
// The same value gives the same error text every time.
func Validate(v any) error {
	s, err := compiled()
	if err != nil {
		return err
	}
	if err := bounded(v); err != nil {
		return err
	}
	return explain(s.Validate(v))
}

// compile compiles a schema in the keywords of the compact one, without
// checking it against the schema of draft-07: that check is most of the time,
// and the tests do it. A zero Draft is one without such a schema; it has the
// keywords of draft-04 as far as they are used here.
func compile(source string) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.Draft = &jsonschema.Draft{}
	c.LoadURL = refuse
	if err := c.AddResource(ID, strings.NewReader(source)); err != nil {
		return nil, err
	}
	return c.Compile(ID)
}

var errLoad = errors.New("the schema refers to another document, and none is ever loaded")

// refuse takes the place of a loader that opens file URLs.
func refuse(url string) (io.ReadCloser, error) {
	return nil, fmt.Errorf("%w: %s", errLoad, url)
}

// maxProblems bounds the error text. The reader of profiles lets none through,
// so one is enough to find the mistake.
const maxProblems = 10

// explain turns an error of the validator into one whose text does not depend
// on the order of maps.
func explain(err error) error {
	var failure *jsonschema.ValidationError
	if !errors.As(err, &failure) {
		return err
	}
	problems := leaves(nil, failure)
	sort.Strings(problems)
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems], fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(problems, "; "))
}

func leaves(problems []string, e *jsonschema.ValidationError) []string {
	for _, cause := range e.Causes {
		problems = leaves(problems, cause)
	}
	if len(e.Causes) > 0 {
		return problems
	}
	at := e.InstanceLocation
	if at == "" {
		at = "/"
	}
	return append(problems, at+": "+ordered(e.Message))
}

// ordered sorts the names in the one message that lists them in the order of
// a map: 'additionalProperties 'a', 'b' not allowed'. Quotes in names are
// escaped there, so the separator occurs only between names.
func ordered(message string) string {
	const before, after, separator = "additionalProperties '", "' not allowed", "', '"
	list, ok := strings.CutPrefix(message, before)
	if !ok {
		return message
	}
	list, ok = strings.CutSuffix(list, after)
	if !ok {
		return message
	}
	names := strings.Split(list, separator)
	sort.Strings(names)
	return before + strings.Join(names, separator) + after
}
