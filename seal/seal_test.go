package seal

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/policy"
	"caprun/profiles"
	"caprun/seal/internal/image"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// parse returns the profile with this text.
func parse(t testing.TB, text string) *policy.Profile {
	t.Helper()
	p, diagnostics := policy.Parse("x.yaml", []byte(text))
	if p == nil {
		t.Fatal(diagnostics)
	}
	return p
}

func mustSeal(t testing.TB, text string, o Options) []byte {
	t.Helper()
	file, err := Seal(parse(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

const (
	web    = "version: 1\nname: web\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\n"
	server = "version: 1\nname: server\nuser: www-data\n"
)

// TestSeal: a launcher has its profile, its architecture and its version, and is what its
// profile seals to.
func TestSeal(t *testing.T) {
	for _, a := range Archs() {
		for _, text := range []string{web, "version: 1\n", "version: 1\r\nno_new_privs: true\r\n", "version: 1 # \u00e9\n"} {
			file := mustSeal(t, text, Options{Arch: a})
			s, err := Read(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(s.Text) != text || s.Arch != a || s.Generator != GeneratorVersion || s.Accounts != nil {
				t.Errorf("%v, %q: %+v", a, text, s)
			}
			if err := s.Verify(); err != nil {
				t.Errorf("%v, %q: %v", a, text, err)
			}
			if !bytes.Equal(file, mustSeal(t, text, Options{Arch: a})) {
				t.Errorf("%v, %q: sealed twice, with different results", a, text)
			}
		}
	}
	if a := DefaultArch(); !a.isKnown() || !bytes.Equal(mustSeal(t, web, Options{}), mustSeal(t, web, Options{Arch: a})) {
		t.Errorf("the default is %v", a)
	}
}

// TestSealName: the launcher does not depend on the name of the file of the profile.
func TestSealName(t *testing.T) {
	p, _ := policy.Parse("/elsewhere/other.yaml", []byte(web))
	file, err := Seal(p, Options{Arch: AMD64})
	if err != nil || !bytes.Equal(file, mustSeal(t, web, Options{Arch: AMD64})) {
		t.Errorf("another file: %v", err)
	}
}

// TestSealRefuses: the error for a profile that cannot be sealed names the key and what to
// do.
func TestSealRefuses(t *testing.T) {
	_, err := Seal(parse(t, server), Options{})
	var failed *machine.Error
	if !errors.As(err, &failed) || failed.Key != "user" || !strings.Contains(err.Error(), "-root DIR") {
		t.Errorf("a name without Root: %v", err)
	}
	_, err = Seal(parse(t, "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_raw=ep\n"), Options{})
	var none *engine.NoPlanError
	if !errors.As(err, &none) || len(none.Diagnostics) == 0 {
		t.Errorf("a profile without a plan: %v", err)
	}
	if _, err = Seal(parse(t, web), Options{Arch: 77}); err == nil {
		t.Error("an unknown architecture")
	}
	if _, err = Seal(&policy.Profile{NoNewPrivs: true}, Options{}); err == nil {
		t.Error("a profile without text")
	}
}

// TestGolden: the launchers of the built-in profiles change only with GeneratorVersion.
func TestGolden(t *testing.T) {
	const golden = "testdata/golden.txt"
	var b strings.Builder
	fmt.Fprintf(&b, "generator %d\n", GeneratorVersion)
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range Archs() {
			file := mustSeal(t, string(text), Options{Arch: a})
			fmt.Fprintf(&b, "%s %v %x\n", name, a, hash(t, file))
		}
	}
	got := b.String()
	want, err := os.ReadFile(golden)
	switch {
	case err == nil && got == string(want):
	case *update:
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	case err == nil && strings.HasPrefix(string(want), got[:strings.Index(got, "\n")+1]):
		t.Errorf("a launcher changed: raise GeneratorVersion if a release has version %d, then run this test with -update\n%s", GeneratorVersion, got)
	default:
		t.Errorf("run this test with -update: %v\n%s", err, got)
	}
}

// TestSize: the code and the data of the launchers of the built-in profiles have at most 8
// KB.
func TestSize(t *testing.T) {
	const limit = 8192
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range Archs() {
			m, err := image.Read(mustSeal(t, string(text), Options{Arch: a}))
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Code) > limit {
				t.Errorf("%s, %v: %d bytes, more than %d", name, a, len(m.Code), limit)
			}
		}
	}
}
