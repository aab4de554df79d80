package schema

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/cputime"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// strictly compiles the published schema as draft-07, and checks it against the schema
// of draft-07.
func strictly(t testing.TB) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	c.LoadURL = refuse
	if err := c.AddResource(ID, strings.NewReader(published)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(ID)
	if err != nil {
		t.Fatalf("%#v", err)
	}
	return s
}

// verdicts are values and whether they are profiles, as JSON.
var verdicts = []struct {
	ok    bool
	value string
}{
	{true, `{"version":1}`},
	{true, `{"version":1,"name":"web","description":"","command":["./server","--port=80"]}`},
	{true, `{"version":1,"user":"www-data","gid":33,"groups":[]}`},
	{true, `{"version":1,"user":33}`},
	{true, `{"version":1,"uid":33,"gid":"www-data","groups":[33,"adm","srv$"]}`},
	{true, `{"version":1,"user":"srv$"}`},
	{true, `{"version":1,"uid":0,"gid":4294967294,"groups":[0,4294967294]}`},
	{true, `{"version":1,"caps":"=","iab":"","mode":"PURE1E_INIT"}`},
	{true, `{"version":1,"secbits":[]}`},
	{true, `{"version":1,"secbits":["noroot","noroot_locked"],"no_new_privs":true}`},
	{true, `{"version":1,"chroot":"/srv","cwd":"/","umask":"0027"}`},
	{true, `{"version":1,"umask":"777"}`},
	{true, `{"version":1,"env":{}}`},
	{true, `{"version":1,"env":{"keep":"all","set":{"A":"","_b1":"x y"},"unset":["C"]}}`},
	{true, `{"version":1,"env":{"keep":["PATH"]}}`},
	{true, `{"version":1,"env":{"keep":["a.b"],"set":{"discovery.type":"x","A-B":"x","_.-":"x"},"unset":["x-y"]}}`},
	{false, `{"version":1,"env":{"unset":[".a"]}}`},
	{false, `{"version":1,"env":{"keep":["-a"]}}`},
	{false, `{"version":1,"env":{"set":{"a b":"x"}}}`},
	{true, `{"version":1,"rlimits":{"nofile":{"soft":1},"core":{"hard":0}}}`},
	{true, `{"version":1,"rlimits":{"nofile":4096,"core":{"soft":0,"hard":"unlimited"},"stack":"unlimited"}}`},
	{true, `{"version":1,"keep_fds":[3,1048575]}`},
	{true, `{"version":1,"lint":{}}`},
	{true, `{"version":1,"lint":{"ignore":[]}}`},
	{true, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":"x"},{"rule":"c","reason":" y ","until":"2027-01-31"}]}}`},
	{true, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":["cap_chown","21","0","40",10],"reason":"x"},{"rule":"a-b","caps":["cap_kill"],"reason":"x"}]}}`},

	{false, `null`},
	{false, `[]`},
	{false, `"version: 1"`},
	{false, `{}`},
	{false, `{"version":2}`},
	{false, `{"version":"1"}`},
	{false, `{"version":true}`},
	{false, `{"version":1,"Version":1}`},
	{false, `{"version":1,"$schema":"x"}`},
	{false, `{"version":1,"name":""}`},
	{false, `{"version":1,"name":"a/b"}`},
	{false, `{"version":1,"name":"-a"}`},
	{false, `{"version":1,"name":"a\n"}`},
	{false, `{"version":1,"description":1}`},
	{false, `{"version":1,"command":"./server"}`},
	{false, `{"version":1,"command":[]}`},
	{false, `{"version":1,"command":["sleep",1]}`},
	{false, `{"version":1,"user":-1}`},
	{false, `{"version":1,"user":4294967295}`},
	{false, `{"version":1,"user":1.5}`},
	{false, `{"version":1,"user":""}`},
	{false, `{"version":1,"user":":33"}`},
	{false, `{"version":1,"user":"033"}`},
	{false, `{"version":1,"user":" 33"}`},
	{false, `{"version":1,"user":"+33"}`},
	{false, `{"version":1,"user":"33"}`},
	{false, `{"version":1,"user":"a\u0000b"}`},
	{false, `{"version":1,"user":"a\n"}`},
	{false, `{"version":1,"user":null}`},
	{false, `{"version":1,"user":"web","gid":"33"}`},
	{false, `{"version":1,"user":"web","gid":""}`},
	{false, `{"version":1,"user":"web","gid":":33"}`},
	{false, `{"version":1,"user":"web","gid":["adm"]}`},
	{false, `{"version":1,"user":"web","groups":["33"]}`},
	{false, `{"version":1,"user":"web","groups":["adm","adm"]}`},
	{false, `{"version":1,"user":"web","groups":["-1"]}`},
	{false, `{"version":1,"user":"web","groups":"adm"}`},
	{false, `{"version":1,"user":["www-data"]}`},
	{false, `{"version":1,"uid":33}`},
	{false, `{"version":1,"uid":-1,"gid":0}`},
	{false, `{"version":1,"uid":0,"gid":4294967295}`},
	{false, `{"version":1,"uid":0,"gid":0.5}`},
	{false, `{"version":1,"uid":"0","gid":0}`},
	{false, `{"version":1,"uid":0,"gid":0,"groups":[1,1]}`},
	{false, `{"version":1,"uid":0,"gid":0,"groups":[-1]}`},
	{false, `{"version":1,"caps":""}`},
	{false, `{"version":1,"caps":["cap_kill"]}`},
	{false, `{"version":1,"mode":"UNCERTAIN"}`},
	{false, `{"version":1,"mode":"pure1e"}`},
	{false, `{"version":1,"secbits":["keep_caps"]}`},
	{false, `{"version":1,"secbits":["noroot","noroot"]}`},
	{false, `{"version":1,"secbits":239}`},
	{false, `{"version":1,"no_new_privs":false}`},
	{false, `{"version":1,"no_new_privs":"true"}`},
	{false, `{"version":1,"chroot":"srv"}`},
	{false, `{"version":1,"cwd":""}`},
	{false, `{"version":1,"umask":27}`},
	{false, `{"version":1,"umask":"27"}`},
	{false, `{"version":1,"umask":"1777"}`},
	{false, `{"version":1,"umask":"0o27"}`},
	{false, `{"version":1,"env":{"keep":"none"}}`},
	{false, `{"version":1,"env":{"keep":["A","A"]}}`},
	{false, `{"version":1,"env":{"set":{"A=B":"x"}}}`},
	{false, `{"version":1,"env":{"set":{"":"x"}}}`},
	{false, `{"version":1,"env":{"set":{"A":1}}}`},
	{false, `{"version":1,"env":{"unset":["1A"]}}`},
	{false, `{"version":1,"env":{"clear":true}}`},
	{false, `{"version":1,"rlimits":{"NOFILE":1}}`},
	{false, `{"version":1,"rlimits":{"nofile":-1}}`},
	{false, `{"version":1,"rlimits":{"nofile":"infinity"}}`},
	{false, `{"version":1,"rlimits":{"nofile":{}}}`},
	{false, `{"version":1,"rlimits":{"nofile":{"soft":1,"hard":2,"max":3}}}`},
	{false, `{"version":1,"rlimits":{"nofile":{"soft":-1,"hard":2}}}`},
	{false, `{"version":1,"rlimits":{"nofile":9223372036854775808}}`},
	{false, `{"version":1,"keep_fds":[2]}`},
	{false, `{"version":1,"keep_fds":[1048576]}`},
	{false, `{"version":1,"keep_fds":[3,3]}`},
	{false, `{"version":1,"lint":[]}`},
	{false, `{"version":1,"lint":{"ignored":[]}}`},
	{false, `{"version":1,"lint":{"ignore":["a-b"]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"","reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a b","reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":""}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":" \t"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":"x","until":"2027-13-01"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":"x","until":"2027-1-1"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":"x","until":20270131}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","reason":"x","line":3}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":[],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":"cap_chown","reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":["cap_chown","cap_chown"],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":["all"],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":["CAP_CHOWN"],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":["41"],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":[41],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":["010"],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":[-1],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":[null],"reason":"x"}]}}`},
	{false, `{"version":1,"lint":{"ignore":[{"rule":"a-b","caps":[1.5],"reason":"x"}]}}`},
}

// TestVerdicts: the compact schema, compiled without the schema of draft-07,
// accepts and refuses what the published one does.
func TestVerdicts(t *testing.T) {
	published := strictly(t)
	for _, v := range verdicts {
		value := decode(t, v.value)
		if err := Validate(value); (err == nil) != v.ok {
			t.Errorf("%s: Validate returns %v", v.value, err)
		}
		if err := published.Validate(value); (err == nil) != v.ok {
			t.Errorf("%s: the published schema returns %v", v.value, err)
		}
	}
}

// TestExamples checks every example against the schema that contains it.
func TestExamples(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	c.LoadURL = refuse
	if err := c.AddResource(ID, strings.NewReader(published)); err != nil {
		t.Fatal(err)
	}
	var check func(path string, s map[string]any)
	check = func(path string, s map[string]any) {
		compiled, err := c.Compile(ID + path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		examples, _ := s["examples"].([]any)
		for _, example := range examples {
			if err := compiled.Validate(example); err != nil {
				t.Errorf("%s: the example %v: %v", path, example, err)
			}
		}
		for _, keyword := range []string{"properties", "definitions"} {
			named, _ := s[keyword].(map[string]any)
			for _, name := range sortedKeys(named) {
				check(path+"/"+keyword+"/"+name, named[name].(map[string]any))
			}
		}
		if items, ok := s["items"].(map[string]any); ok {
			check(path+"/items", items)
		}
	}
	check("#", decode(t, published).(map[string]any))
}

// TestNothingIsLoaded: a schema that refers to another document does not compile.
func TestNothingIsLoaded(t *testing.T) {
	readable := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(readable, []byte(`{}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"file://" + readable, "http://localhost/x.json", "https://localhost/x.json", "urn:other", "other.json"} {
		for _, keyword := range []string{"$ref", "$schema"} {
			if keyword == "$schema" && url == "other.json" {
				continue
			}
			quoted, _ := json.Marshal(url)
			_, err := compile(`{"` + keyword + `":` + string(quoted) + `}`)
			if err == nil {
				t.Errorf("%s %s was loaded", keyword, url)
			} else if !errors.Is(err, errLoad) && url != "other.json" {
				t.Errorf("%s %s: %v", keyword, url, err)
			}
		}
	}
}

// TestSameText: the error text is the same in every run. That of the validator is not.
func TestSameText(t *testing.T) {
	const value = `{"zeta":1,"alpha":1,"it's, 'x', 'y'":1,"uid":-1,"name":"","mode":"x","keep_fds":[1,2],"secbits":["a","b"],
		"rlimits":{"core":-1,"cpu":-1,"x":1,"y":1},"env":{"set":{"A":1,"B":2}}}`
	first := Validate(decode(t, value))
	if first == nil {
		t.Fatal("accepted")
	}
	for range 50 {
		if again := Validate(decode(t, value)); again.Error() != first.Error() {
			t.Fatalf("different texts for the same value:\n%v\n%v", first, again)
		}
	}
	if lines := strings.Split(first.Error(), "; "); len(lines) != maxProblems+1 {
		t.Errorf("%d problems: %v", len(lines), first)
	}
	one := Validate(decode(t, `{"version":1,"uid":-1,"gid":0}`))
	if want := "/uid: must be >= 0 but found -1"; one == nil || one.Error() != want {
		t.Errorf("got %v, want %s", one, want)
	}
}

// TestNeverPanics: Validate refuses values for which the validator panics or hangs.
func TestNeverPanics(t *testing.T) {
	deep := any("x")
	for range 100_000 {
		deep = []any{deep}
	}
	wide := make([]any, maxValues+1)
	loop := map[string]any{}
	loop["env"] = loop
	begin := cputime.Used(t)
	for name, v := range map[string]any{
		"NaN": math.NaN(), "Inf": math.Inf(1), "-Inf": math.Inf(-1), "huge": 1e308, "tiny": 5e-324,
		"exponent": json.Number("1e999999999"), "negative exponent": json.Number("1e-999999999"),
		"million digits": json.Number(strings.Repeat("9", 1_000_000)), "hex": json.Number("0x10"),
		"no number": json.Number("x"), "empty number": json.Number(""), "fraction": json.Number("1/3"),
		"point": json.Number("1."), "zeros": json.Number("007"), "sign": json.Number("-"),
		"channel": make(chan int), "float32": float32(1), "uint16": uint16(1), "pointer": new(int), "map": map[any]any{1: 1},
		"deep": deep, "wide": wide, "loop": loop,
	} {
		if err := Validate(v); err == nil {
			t.Errorf("%s as the profile: accepted", name)
		}
		for _, key := range []string{"version", "uid", "user", "caps", "groups", "env", "rlimits", "command", "no_new_privs"} {
			profile := map[string]any{"version": json.Number("1"), "gid": 0, key: v}
			if err := Validate(profile); err == nil {
				t.Errorf("%s as %s: accepted", name, key)
			}
		}
		nested := map[string]any{"version": uint64(1), "rlimits": map[string]any{"core": map[string]any{"soft": v, "hard": "unlimited"}}}
		if err := Validate(nested); err == nil {
			t.Errorf("%s as a limit: accepted", name)
		}
	}
	if took := cputime.Used(t) - begin; took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestNumbers: the validator accepts the three integer types as numbers.
func TestNumbers(t *testing.T) {
	for _, one := range []any{1, int64(1), uint64(1), 1.0, json.Number("1"), json.Number("1.0")} {
		if err := Validate(map[string]any{"version": one}); err != nil {
			t.Errorf("%T: %v", one, err)
		}
	}
}

// TestJSONIsACopy: a caller cannot change the schema for the next one.
func TestJSONIsACopy(t *testing.T) {
	clear(JSON())
	if string(JSON()) != published {
		t.Error("the published schema was changed")
	}
}

// BenchmarkFirstUse measures what each launch costs: compile, then validate once.
func BenchmarkFirstUse(b *testing.B) {
	value := decode(b, verdicts[1].value)
	b.ReportAllocs()
	for b.Loop() {
		s, err := compile(compact)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Validate(value); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublished is BenchmarkFirstUse for the published schema, compiled with
// the check of draft-07.
func BenchmarkPublished(b *testing.B) {
	value := decode(b, verdicts[1].value)
	b.ReportAllocs()
	for b.Loop() {
		if err := strictly(b).Validate(value); err != nil {
			b.Fatal(err)
		}
	}
}
