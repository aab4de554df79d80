package outputs

import (
	"slices"
	"strings"
	"testing"

	"caprun/schema"
)

// outputNames returns the names of the schemas of output.
func outputNames() []string {
	return slices.DeleteFunc(schema.Names(), func(name string) bool { return name == "profile" })
}

// TestPublished: each schema is valid, in the published form and closed, and describes each
// property. Only the schema of profiles forbids unknown properties.
func TestPublished(t *testing.T) {
	for _, name := range outputNames() {
		for _, closed := range []bool{false, true} {
			if _, err := compile(name, closed); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		root, err := read(name)
		if err != nil {
			t.Fatal(err)
		}
		if root["$id"] != "urn:caprun:"+name+":1" || root["title"] == nil || root["$schema"] != "http://json-schema.org/draft-07/schema#" {
			t.Errorf("%s: wrong $id or $schema, or no title", name)
		}
		if about, _ := root["description"].(string); !strings.Contains(about, "Ignore properties that this schema does not have") {
			t.Errorf("%s: the description does not say that unknown properties are to be ignored", name)
		}
		eachSchema("", root, func(at string, s map[string]any) {
			about, _ := s["description"].(string)
			_, list := s["items"]
			if strings.HasSuffix(at, "/items") {
				return
			}
			if !strings.HasSuffix(about, ".") {
				t.Errorf("%s%s: no description, or not a sentence", name, at)
			}
			if strings.Contains(about, OpenList) != (s["examples"] != nil) {
				t.Errorf("%s%s: examples are the known values of a list that can become longer", name, at)
			}
			if s["additionalProperties"] != nil {
				t.Errorf("%s%s: a consumer must accept unknown properties", name, at)
			}
			if _, object := s["properties"]; !object && !list && s["type"] == "object" {
				t.Errorf("%s%s: an object without properties", name, at)
			}
		})
	}
}

// TestAbsence: the description of a property that is not required says when it is absent.
// The description of one that can be null says when it is.
func TestAbsence(t *testing.T) {
	for _, name := range outputNames() {
		root, err := read(name)
		if err != nil {
			t.Fatal(err)
		}
		eachSchema("", root, func(at string, s map[string]any) {
			properties, _ := s["properties"].(map[string]any)
			required, _ := s["required"].([]any)
			whole, _ := s["description"].(string)
			for key, property := range properties {
				property := property.(map[string]any)
				about, _ := property["description"].(string)
				if slices.Contains(required, any(key)) == strings.Contains(about, "Absent ") {
					t.Errorf("%s%s/%s: the description and the list of required properties differ", name, at, key)
				}
				_, null := (&agreement{t: t, name: name, root: root}).resolve(property)
				null = null || slices.Contains(typesOf(property), "null")
				if null && !strings.Contains(about+whole, "ull ") && !strings.Contains(about, "likewise") {
					t.Errorf("%s%s/%s: the description does not say when it is null", name, at, key)
				}
			}
		})
	}
}

// TestValidate: an unknown property, an unknown value, a missing property and a wrong type
// are errors.
func TestValidate(t *testing.T) {
	const good = `{"version":1,"rules":[{"name":"a","severity":"info","summary":"b","help":"c"}]}`
	if err := Validate("rules", []byte(good)); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{
		{`"rules":`, `"more":1,"rules":`},
		{`"name":`, `"extra":1,"name":`},
		{`"info"`, `"fatal"`},
		{`"summary":"b",`, ``},
		{`"version":1`, `"version":2`},
		{`"b"`, `1`},
		{`]}`, `]}{}`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if err := Validate("rules", []byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
