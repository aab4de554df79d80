package outputs

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Agree compares the schema with a name with the Go type of a value: the part of the
// schema at a JSON pointer such as "/definitions/trees", or the whole for "". Both must have
// the same properties of the same types, and the schema requires those that the type always
// has. It follows references and nested types.
func Agree(t testing.TB, name, pointer string, value any) {
	t.Helper()
	root, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	part, ok := find(root, pointer)
	if !ok {
		t.Fatalf("%s.schema.json has no %s", name, pointer)
	}
	a := agreement{t: t, name: name, root: root, seen: map[string]bool{}}
	a.compare(name+pointer, part, reflect.TypeOf(value))
}

// Values compares the list of values of a property with those that the code has: its enum,
// or its examples if values can be added. null is not a value.
func Values(t testing.TB, name, pointer string, want ...string) {
	t.Helper()
	root, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := find(root, pointer)
	if !ok {
		t.Fatalf("%s.schema.json has no %s", name, pointer)
	}
	keyword := "enum"
	if about, _ := s["description"].(string); strings.Contains(about, OpenList) {
		keyword = "examples"
	}
	list, _ := s[keyword].([]any)
	var got []string
	for _, v := range list {
		if v, ok := v.(string); ok {
			got = append(got, v)
		}
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s.schema.json%s: %s is %q, the code has %q", name, pointer, keyword, got, want)
	}
}

// agreement is a comparison of a schema with a type.
type agreement struct {
	t    testing.TB
	name string
	root map[string]any
	seen map[string]bool // references that were followed
}

// compare compares a part of the schema with a type.
func (a *agreement) compare(at string, s map[string]any, of reflect.Type) {
	a.t.Helper()
	nullable := of.Kind() == reflect.Pointer
	if nullable {
		of = of.Elem()
	}
	s, null := a.resolve(s)
	if s == nil {
		return
	}
	types := typesOf(s)
	null = null || slices.Contains(types, "null")
	if null && !nullable && of.Kind() != reflect.Slice {
		a.t.Errorf("%s allows null, and %v has none", at, of)
	}
	want := jsonType(of)
	if !slices.Contains(types, want) || len(slices.DeleteFunc(types, func(t string) bool { return t == "null" || t == want })) > 0 {
		a.t.Errorf("%s: the type of %v is %s", at, of, want)
		return
	}
	switch of.Kind() {
	case reflect.Struct:
		if key := at[:strings.Index(at+"/", "/")] + of.String() + pointerOf(s); !a.seen[key] {
			a.seen[key] = true
			a.object(at, s, of)
		}
	case reflect.Slice:
		items, ok := s["items"].(map[string]any)
		if !ok {
			a.t.Errorf("%s: no items", at)
			return
		}
		a.compare(at+"/items", items, of.Elem())
	}
}

// pointerOf identifies an object of the schema by its description.
func pointerOf(s map[string]any) string {
	about, _ := s["description"].(string)
	return about
}

// object compares the properties.
func (a *agreement) object(at string, s map[string]any, of reflect.Type) {
	a.t.Helper()
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	fields := fieldsOf(of)
	for name := range properties {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			a.t.Errorf("%s: the property %s is not in %v", at, name, of)
		}
	}
	for _, f := range fields {
		property, ok := properties[f.name].(map[string]any)
		if !ok {
			a.t.Errorf("%s: the field %s of %v is not in the schema", at, f.name, of)
			continue
		}
		if slices.Contains(required, any(f.name)) == f.optional {
			a.t.Errorf("%s/%s: required, or omitempty, but not both", at, f.name)
		}
		if f.optional && f.of.Kind() == reflect.Pointer {
			f.of = f.of.Elem() // absent, and never null
		}
		if f.of.Kind() == reflect.Pointer {
			if _, null := a.resolve(property); !null && !slices.Contains(typesOf(property), "null") {
				a.t.Errorf("%s/%s: the field can be null", at, f.name)
			}
		}
		a.compare(at+"/"+f.name, property, f.of)
	}
}

// resolve follows a reference, and reports whether it is one to a value or null.
func (a *agreement) resolve(s map[string]any) (target map[string]any, null bool) {
	a.t.Helper()
	for _, keyword := range []string{"allOf", "anyOf"} {
		list, _ := s[keyword].([]any)
		for _, alternative := range list {
			alternative, _ := alternative.(map[string]any)
			switch {
			case alternative["type"] == "null":
				null = true
			case alternative["$ref"] != nil:
				target = alternative
			}
		}
	}
	if target == nil {
		target = s
	}
	ref, ok := target["$ref"].(string)
	if !ok {
		return target, null
	}
	found, ok := find(a.root, strings.TrimPrefix(ref, "#"))
	if !ok {
		a.t.Errorf("%s.schema.json: nothing at %s", a.name, ref)
		return nil, null
	}
	return found, null
}

// typesOf returns the types that a schema allows.
func typesOf(s map[string]any) (types []string) {
	switch v := s["type"].(type) {
	case string:
		return []string{v}
	case []any:
		for _, t := range v {
			t, _ := t.(string)
			types = append(types, t)
		}
	}
	return types
}

// jsonType returns the type of the JSON form of a Go type.
func jsonType(of reflect.Type) string {
	switch of.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Struct:
		return "object"
	case reflect.Pointer:
		return jsonType(of.Elem())
	}
	if of.ConvertibleTo(reflect.TypeFor[uint64]()) {
		return "integer"
	}
	return of.Kind().String()
}

// field is a field of the JSON form of a struct.
type field struct {
	name     string
	of       reflect.Type
	optional bool
}

// fieldsOf returns the fields that encoding/json encodes: an embedded struct adds those
// whose names the struct itself does not have.
func fieldsOf(of reflect.Type) (fields []field) {
	var embedded []reflect.Type
	for n := range of.NumField() {
		f := of.Field(n)
		tag, tagged := f.Tag.Lookup("json")
		if f.Anonymous && !tagged {
			embedded = append(embedded, f.Type)
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		fields = append(fields, field{name, f.Type, strings.Contains(options, "omitempty")})
	}
	for _, e := range embedded {
		for _, f := range fieldsOf(e) {
			if !slices.ContainsFunc(fields, func(have field) bool { return have.name == f.name }) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// find returns the part of a schema at a JSON pointer.
func find(root map[string]any, pointer string) (map[string]any, bool) {
	part := root
	for _, key := range strings.Split(pointer, "/")[1:] {
		var ok bool
		if part, ok = part[key].(map[string]any); !ok {
			return nil, false
		}
	}
	return part, true
}
