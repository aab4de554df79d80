package jsontree

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestPositions(t *testing.T) {
	n, err := Parse([]byte("{\n  \"a\u00e9\": [1, \"x\"],\r\n\t\"b\": {\"c\": true}\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := n.Member("a\u00e9")
	b, _ := n.Member("b")
	c, _ := b.Value.Member("c")
	for _, test := range []struct{ got, want []int }{
		{[]int{n.Line, n.Column, n.EndLine, n.EndColumn}, []int{1, 1, 4, 2}},
		{[]int{a.At.Line, a.At.Column, a.At.EndLine, a.At.EndColumn}, []int{2, 3, 2, 7}},
		{[]int{a.Value.Line, a.Value.Column, a.Value.EndColumn}, []int{2, 9, 17}},
		{[]int{a.Value.Items[1].Line, a.Value.Items[1].Column, a.Value.Items[1].EndColumn}, []int{2, 13, 16}},
		{[]int{c.At.Line, c.At.Column, c.Value.Column}, []int{3, 8, 13}},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "1:1: end of the file instead of a value"},
		{"{\"a\": 1,\n \"a\": 2}", `2:2: key "a" is repeated`},
		{"{} {}", "1:4: text after the value"},
		{"{}x", "1:3: text after the value"},
		{"[1,]", "1:4: comma before the closing bracket"},
		{`{"a": 1,}`, "1:9: comma before the closing bracket"},
		{`{"a" 1}`, "1:6: invalid character '1' instead of a colon"},
		{`{a: 1}`, "1:2: invalid character 'a' instead of a key"},
		{"[1 2]", "1:4: invalid character '2' instead of a comma or ]"},
		{"/* x */{}", "1:1: invalid character '/' instead of a value"},
		{"\ufeff{}", `1:1: invalid character '\ufeff' instead of a value`},
		{"\"a\xffb\"", "1:3: byte 0xff is not UTF-8"},
		{"\"\xed\xa0\x80\"", "1:2: byte 0xed is not UTF-8"},
		{`"x\ud800y"`, "1:3: escape is half of a surrogate pair"},
		{`"\udc00\ud800"`, "1:2: escape is half of a surrogate pair"},
		{`"\ud800\u0041"`, "1:2: escape is half of a surrogate pair"},
		{`"\x41"`, "1:2: invalid escape in a string"},
		{`"\u00g0"`, "1:2: invalid escape in a string"},
		{`"\u00`, "1:2: invalid escape in a string"},
		{`"\`, "1:2: string without a closing quote"},
		{"\"a\nb\"", `1:3: control character '\n' in a string`},
		{`"a`, "1:1: string without a closing quote"},
		{"01", "1:2: text after the value"},
		{"-", "1:2: end of the file instead of a digit"},
		{"1.", "1:3: end of the file instead of a digit"},
		{"1e+", "1:4: end of the file instead of a digit"},
		{"nul", "1:1: invalid character 'n' instead of a value"},
		{"\x00", `1:1: invalid character '\x00' instead of a value`},
		{strings.Repeat("[", maxDepth+2), "1:66: value has more than 64 levels"},
		{"[" + strings.Repeat("1,", maxNodes) + "1]", "1:131072: file has more than 65536 values"},
		{"{" + strings.Repeat(" ", 5) + `"` + strings.Repeat("k", 99) + `":1,"` + strings.Repeat("k", 99) + `":1}`,
			`1:111: key "` + strings.Repeat("k", 64) + `..." is repeated`},
	} {
		_, err := Parse([]byte(test.text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%.40q: %v, want %s", test.text, err, test.want)
		}
	}
}

// TestRepeatedAmongMany: a repeated key is found in an object of any size.
func TestRepeatedAmongMany(t *testing.T) {
	for n := 1; n < 3*fewMembers; n++ {
		var keys []string
		for i := range n {
			keys = append(keys, `"k`+strings.Repeat("x", i)+`":1`)
		}
		if _, err := Parse([]byte("{" + strings.Join(keys, ",") + "}")); err != nil {
			t.Fatal(err)
		}
		for _, again := range []string{keys[0], keys[n-1]} {
			if _, err := Parse([]byte("{" + strings.Join(append(keys[:n:n], again), ",") + "}")); err == nil {
				t.Fatalf("%d keys: a repeated key is accepted", n)
			}
		}
	}
}

// plain returns a node as package json decodes it.
func (n *Node) plain() any {
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		return n.Text == "true"
	case Number:
		return json.Number(n.Text)
	case String:
		return n.Text
	case Array:
		list := make([]any, 0, len(n.Items))
		for _, item := range n.Items {
			list = append(list, item.plain())
		}
		return list
	}
	object := map[string]any{}
	for _, m := range n.Members {
		object[m.Key] = m.Value.plain()
	}
	return object
}

// FuzzParse: what Parse accepts, package json decodes to the same; every error has a
// position.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-2.5e+7,"x\u00e9\ud83d\ude00\n",true,false,null],"b":{}}`, ` [ ] `, `"\/"`, "{\"a\":1,\"a\":2}", "\xff", "[1,",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := Parse(text)
		var failed *Error
		switch {
		case err != nil:
			if !errors.As(err, &failed) || !failed.IsKnown() || failed.EndLine < failed.Line {
				t.Fatalf("error %#v", err)
			}
			return
		case n.Line < 1 || n.EndLine < n.Line:
			t.Fatalf("position %v", n.Position)
		}
		var want any
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("package json: %v", err)
		}
		if got := n.plain(); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
	})
}
