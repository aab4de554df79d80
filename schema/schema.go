// Package schema contains the JSON Schema of profiles, and validates values with it. It
// also contains the schemas of the JSON output of the commands: see [Named].
//
// The schema of profiles is draft-07 and written for editors: every property has a title, a
// description and examples. It expresses what JSON Schema can express without
// unions. Package policy is stricter, and only its reader explains errors;
// Validate checks what that reader accepted.
//
// Only this package, and tests, import jsonschema. Several goroutines may call
// all functions.
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

// ID is the $id of the schema. It is not the address of a document.
const ID = "urn:caprun:profile:1"

//go:embed profile.schema.json
var published string

// The published schema without the texts for editors, and with every part that
// occurs more than once moved to the definitions. Compiling it takes a sixth of
// the time, and every launch compiles it.
//
//go:generate go test -run ^TestCompactIsGenerated$ -update .
//go:embed profile.compact.json
var compact string

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(compact) })

// JSON returns the schema as published. The caller may change the bytes.
func JSON() []byte { return []byte(published) }

// Validate returns nil if v satisfies the schema. It takes the types that
// encoding/json decodes into (map[string]any, []any, string, bool, nil, float64,
// json.Number), and int, int64 and uint64. It returns an error for any other
// type, for a number that is not finite or not in plain decimal digits, and for a
// value beyond the bounds of this package. It never panics. The error text of a
// value is always the same.
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

// compile compiles a schema with the keywords of the compact one. It does not
// check it against the schema of draft-07: that check takes most of the time, and
// the tests do it. A zero Draft has no such schema, and the keywords of draft-04
// that the compact schema uses.
func compile(source string) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.Draft = &jsonschema.Draft{}
	c.LoadURL = refuse
	if err := c.AddResource(ID, strings.NewReader(source)); err != nil {
		return nil, err
	}
	return c.Compile(ID)
}

var errLoad = errors.New("the schema refers to another document, which is not loaded")

// refuse replaces a loader that opens file URLs.
func refuse(url string) (io.ReadCloser, error) {
	return nil, fmt.Errorf("%w: %s", errLoad, url)
}

// maxProblems bounds the error text. The reader of profiles finds errors first, so
// a few are enough to find a bug.
const maxProblems = 10

// explain makes an error whose text does not depend on the order of maps.
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

// ordered sorts the names in the only message that lists them in the order of a
// map: additionalProperties 'a', 'b' not allowed. The message escapes quotes in
// names, so the separator occurs only between names.
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
