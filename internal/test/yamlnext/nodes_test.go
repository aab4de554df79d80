package yamlnext

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"caprun/policy"

	next "go.yaml.in/yaml/v3"
	current "gopkg.in/yaml.v3"
)

// corpus returns the files of the repository that are profiles, or nearly.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := filepath.Join("..", "..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.Type().IsRegular() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml":
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && len(text) <= policy.MaxSize {
			files[path] = text
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// both reads a text with both modules.
func both(text []byte) (a *current.Node, errA error, b *next.Node, errB error) {
	a, b = new(current.Node), new(next.Node)
	return a, current.Unmarshal(text, a), b, next.Unmarshal(text, b)
}

// differ returns the first difference of two trees; empty for none.
func differ(a *current.Node, b *next.Node) string {
	// Comments are no part of a profile.
	type fields struct {
		kind, style, line, column    int
		tag, shortTag, value, anchor string
	}
	x := fields{int(a.Kind), int(a.Style), a.Line, a.Column, a.Tag, a.ShortTag(), a.Value, a.Anchor}
	y := fields{int(b.Kind), int(b.Style), b.Line, b.Column, b.Tag, b.ShortTag(), b.Value, b.Anchor}
	if x != y || len(a.Content) != len(b.Content) {
		return fmt.Sprintf("%+v, %d children; %+v, %d children", x, len(a.Content), y, len(b.Content))
	}
	for n := range a.Content {
		if text := differ(a.Content[n], b.Content[n]); text != "" {
			return text
		}
	}
	return ""
}

// compare compares the trees of a text that package policy accepts. accepted is false for
// another text.
func compare(t *testing.T, name string, text []byte) (accepted bool) {
	t.Helper()
	if p, _ := policy.Read(name, text); p == nil {
		return false
	}
	a, errA, b, errB := both(text)
	if errA != nil || errB != nil {
		t.Errorf("%s: %v; %v", name, errA, errB)
		return true
	}
	if text := differ(a, b); text != "" {
		t.Errorf("%s: %s", name, text)
	}
	return true
}

// TestProfiles: every profile of the repository has the same tree in both modules, with the
// same positions.
func TestProfiles(t *testing.T) {
	accepted := 0
	for path, text := range corpus(t) {
		if compare(t, path, text) {
			accepted++
		}
	}
	if accepted < 50 {
		t.Errorf("%d profiles", accepted)
	}
}

// TestChanged: so has a profile in which bytes were changed at random, if it still is one.
func TestChanged(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var texts [][]byte
	for _, text := range corpus(t) {
		if p, _ := policy.Read("p", text); p != nil && len(text) < 4096 {
			texts = append(texts, text)
		}
	}
	const pieces = "\n \t:-#'\"[]{},&*!|>%@`?~=0123456789abcxyzNY\u00e9\\"
	accepted := 0
	for range 20_000 {
		text := bytes.Clone(texts[random.IntN(len(texts))])
		for range 1 + random.IntN(3) {
			at := random.IntN(len(text))
			c := pieces[random.IntN(len(pieces))]
			switch random.IntN(3) {
			case 0:
				text[at] = c
			case 1:
				text = append(text[:at], append([]byte{c}, text[at:]...)...)
			case 2:
				text = append(text[:at], text[at+1:]...)
			}
			if len(text) == 0 {
				text = []byte("\n")
			}
		}
		if compare(t, fmt.Sprintf("%q", text), text) {
			accepted++
		}
		if t.Failed() {
			return
		}
	}
	if accepted < 1000 {
		t.Errorf("%d texts are profiles", accepted)
	}
	t.Logf("%d texts are profiles", accepted)
}

// TestRefused: a text of the repository that yaml.v3 does not read, the continuation does not
// read either: no profile would be accepted because of the change.
func TestRefused(t *testing.T) {
	refused := 0
	for path, text := range corpus(t) {
		_, errA, _, errB := both(text)
		if errA == nil {
			continue
		}
		refused++
		if errB == nil {
			t.Errorf("%s: %v; the continuation reads it", path, errA)
		}
	}
	if refused < 10 {
		t.Errorf("%d texts", refused)
	}
}

func FuzzNodes(f *testing.F) {
	for _, text := range corpus(f) {
		if len(text) < 2048 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { compare(t, "p", text) })
}
