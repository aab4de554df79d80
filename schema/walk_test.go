package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caprun/cap"
)

// keywords are all that the schema may use: for each, the type of value that it
// applies to, or "" for all types.
var keywords = map[string]string{
	"$schema": "", "$id": "", "$ref": "", "definitions": "",
	"title": "", "description": "", "examples": "", "type": "", "enum": "",
	"properties": "object", "patternProperties": "object", "additionalProperties": "object",
	"required": "object", "dependencies": "object", "maxProperties": "object", "minProperties": "object",
	"items": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array",
	"minLength": "string", "maxLength": "string", "pattern": "string",
	"minimum": "number", "maximum": "number",
}

// TestWalk checks that editors can use the schema, and that it has no keywords that
// draft-07 ignores: unknown ones, and those next to a $ref.
func TestWalk(t *testing.T) {
	root := decode(t, published).(map[string]any)
	if root["$id"] != ID {
		t.Errorf("$id is %v, not %s", root["$id"], ID)
	}
	if root["$schema"] != "http://json-schema.org/draft-07/schema#" {
		t.Errorf("$schema is %v", root["$schema"])
	}
	for _, problem := range walkProblems(root) {
		t.Error(problem)
	}
}

func walkProblems(root map[string]any) []string {
	var problems []string
	definitions, _ := root["definitions"].(map[string]any)
	var check func(path string, s map[string]any)
	check = func(path string, s map[string]any) {
		report := func(format string, args ...any) {
			problems = append(problems, path+": "+fmt.Sprintf(format, args...))
		}
		if ref, ok := s["$ref"].(string); ok {
			if len(s) != 1 {
				report("$ref has siblings, which draft-07 ignores")
			}
			name, ok := strings.CutPrefix(ref, "#/definitions/")
			if !ok || definitions[name] == nil {
				report("$ref to %s", ref)
			}
			return
		}
		types := typesOf(s)
		if len(types) == 0 {
			report("no type")
		}
		for _, keyword := range sortedKeys(s) {
			applies, known := keywords[keyword]
			switch {
			case !known:
				report("%s is not in the list of keywords", keyword)
			case applies == "":
			case applies == "number" && slices.Contains(types, "integer"):
			case !slices.Contains(types, applies):
				report("%s has no effect on %v", keyword, types)
			}
			if path != "#" && slices.Contains([]string{"$schema", "$id", "definitions"}, keyword) {
				report("%s below the root", keyword)
			}
		}
		for _, keyword := range []string{"title", "description"} {
			if word, _ := s[keyword].(string); len(word) < 3 {
				report("no %s", keyword)
			}
		}
		if examples, _ := s["examples"].([]any); len(examples) == 0 {
			report("no examples")
		}
		if slices.Contains(types, "object") && s["additionalProperties"] != false {
			report("the object is open")
		}
		if slices.Contains(types, "array") && (s["items"] == nil || s["maxItems"] == nil) {
			report("the array lacks items or maxItems")
		}
		if slices.Contains(types, "string") && s["enum"] == nil && s["maxLength"] == nil && s["pattern"] != "^unlimited$" && s["pattern"] != "^all$" {
			report("the string has no bound")
		}
		if slices.Contains(types, "integer") && s["enum"] == nil && (s["minimum"] == nil || s["maximum"] == nil) {
			report("the integer has no bounds")
		}
		for _, keyword := range []string{"properties", "patternProperties", "definitions"} {
			named, _ := s[keyword].(map[string]any)
			for _, name := range sortedKeys(named) {
				check(path+"/"+keyword+"/"+name, named[name].(map[string]any))
			}
		}
		if items, ok := s["items"].(map[string]any); ok {
			check(path+"/items", items)
		} else if s["items"] != nil {
			report("items is a list")
		}
	}
	check("#", root)
	return problems
}

func typesOf(s map[string]any) []string {
	switch t := s["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var types []string
		for _, one := range t {
			types = append(types, one.(string))
		}
		return types
	}
	return nil
}

// TestWalkFindsMistakes adds one mistake after the other to the schema.
func TestWalkFindsMistakes(t *testing.T) {
	property := func(root map[string]any, name string) map[string]any {
		return root["properties"].(map[string]any)[name].(map[string]any)
	}
	for name, plant := range map[string]func(root map[string]any){
		"misspelt keyword": func(r map[string]any) { property(r, "name")["maxLenght"] = 3 },
		"union":            func(r map[string]any) { property(r, "name")["oneOf"] = []any{} },
		"sibling of $ref":  func(r map[string]any) { property(r, "name")["$ref"] = "#/definitions/amount" },
		"foreign $ref":     func(r map[string]any) { property(r, "name")["$ref"] = "file:///x" },
		"open object":      func(r map[string]any) { delete(property(r, "env"), "additionalProperties") },
		"no description":   func(r map[string]any) { delete(property(r, "uid"), "description") },
		"no examples":      func(r map[string]any) { delete(property(r, "uid"), "examples") },
		"wrong type":       func(r map[string]any) { property(r, "uid")["pattern"] = "x" },
		"no bound":         func(r map[string]any) { delete(property(r, "caps"), "maxLength") },
	} {
		root := decode(t, published).(map[string]any)
		plant(root)
		if len(walkProblems(root)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

// TestCapabilities compares the descriptions with the table of package cap.
func TestCapabilities(t *testing.T) {
	var want []string
	for v := cap.Value(0); v < cap.NamedCount; v++ {
		want = append(want, v.String()+": "+v.Description())
	}
	for _, property := range []string{"caps", "iab"} {
		if got := listed(t, "\ncap_", "properties", property); !slices.Equal(got, want) {
			t.Errorf("%s lists\n%s\nand package cap has\n%s", property, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestModes compares the modes with those of package cap.
func TestModes(t *testing.T) {
	names := enum(t, "properties", "mode")
	for _, name := range names {
		if _, err := cap.ModeFromText(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for m := range cap.Mode(16) {
		if _, err := cap.ModeFromText(m.String()); err == nil && !slices.Contains(names, m.String()) {
			t.Errorf("the mode %s is missing", m)
		}
	}
	listedOnce(t, names, "properties", "mode")
}

// TestSecbits compares the securebits with those of package cap, without keep_caps.
func TestSecbits(t *testing.T) {
	want := slices.DeleteFunc(cap.Secbits(0xfff).Names(), func(name string) bool { return name == "keep_caps" })
	if got := enum(t, "properties", "secbits", "items"); !slices.Equal(got, want) {
		t.Errorf("the schema has %q, package cap %q", got, want)
	}
	listedOnce(t, want, "properties", "secbits", "items")
}

// listedOnce checks that each name has one line in the description.
func listedOnce(t *testing.T, names []string, path ...string) {
	t.Helper()
	description := at(t, path...)["description"].(string)
	for _, name := range names {
		if n := strings.Count("\n"+description, "\n"+name+": "); n != 1 {
			t.Errorf("the description of %v explains %s %d times", path, name, n)
		}
	}
}

func enum(t *testing.T, path ...string) []string {
	t.Helper()
	var names []string
	for _, name := range at(t, path...)["enum"].([]any) {
		names = append(names, name.(string))
	}
	return names
}

// listed returns the lines of a description that begin with the prefix, which
// includes the line break.
func listed(t *testing.T, prefix string, path ...string) []string {
	t.Helper()
	var lines []string
	for _, line := range strings.Split(at(t, path...)["description"].(string), "\n") {
		if strings.HasPrefix("\n"+line, prefix) {
			lines = append(lines, line)
		}
	}
	return lines
}

func at(t *testing.T, path ...string) map[string]any {
	t.Helper()
	s := decode(t, published).(map[string]any)
	for _, name := range path {
		s = s[name].(map[string]any)
	}
	return s
}
