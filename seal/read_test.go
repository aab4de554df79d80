package seal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"caprun/engine/machine"
	"caprun/seal/internal/image"
)

// hash returns a hash of a launcher without the text of its profile, whose comments may
// change.
func hash(t testing.TB, file []byte) [32]byte {
	t.Helper()
	return sha256.Sum256(changed(t, file, func(m *image.Image) { m.Profile = nil }))
}

func content(t testing.TB, file []byte) image.Image {
	t.Helper()
	m, err := image.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// changed returns a launcher with other content.
func changed(t testing.TB, file []byte, change func(*image.Image)) []byte {
	t.Helper()
	m := content(t, bytes.Clone(file))
	change(&m)
	file, err := image.Write(m)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestVerify: every change of a launcher is noticed.
func TestVerify(t *testing.T) {
	file := mustSeal(t, web, Options{Arch: ARM64})
	for _, c := range []struct {
		name   string
		change func(*image.Image)
		want   error
	}{
		{"nothing", func(*image.Image) {}, nil},
		{"code", func(m *image.Image) { m.Code[len(m.Code)/2] ^= 1 }, ErrModified},
		{"more code", func(m *image.Image) { m.Code = append(bytes.Clone(m.Code), 0) }, ErrModified},
		{"machine", func(m *image.Image) { m.Machine = image.AMD64 }, ErrModified},
		{"profile", func(m *image.Image) { m.Profile = bytes.Replace(m.Profile, []byte("33"), []byte("34"), 1) }, ErrModified},
		{"comment", func(m *image.Image) { m.Profile = append(bytes.Clone(m.Profile), "# x\n"...) }, nil},
		{"invalid profile", func(m *image.Image) { m.Profile = []byte("uid: 0\n") }, ErrModified},
		{"profile with a user", func(m *image.Image) { m.Profile = []byte(server) }, ErrModified},
		{"user", func(m *image.Image) {
			m.Facts = facts{GeneratorVersion, &machine.Accounts{User: &machine.User{Name: "x", UID: 33}}}.text()
		}, ErrModified},
		{"generator", func(m *image.Image) { m.Facts = facts{GeneratorVersion + 1, nil}.text() }, ErrGenerator},
	} {
		s, err := Read(changed(t, file, c.change))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if err := s.Verify(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestVerifyUser: the entry in a launcher must be that of the user of its profile.
func TestVerifyUser(t *testing.T) {
	entry := func(name string, uid uint32) *machine.User {
		return &machine.User{Name: name, UID: uid, GID: 33, Groups: []uint32{4, 44}, Home: "/var/www"}
	}
	for _, c := range []struct {
		user  string
		entry *machine.User
		ok    bool
	}{
		{"www-data", entry("www-data", 33), true},
		{"www-data", entry("root", 0), false},
		{"www-data", nil, false},
		{"33", entry("www-data", 33), true},
		{"33", entry("33", 0), false},
	} {
		var accounts *machine.Accounts
		if c.entry != nil {
			accounts = &machine.Accounts{User: c.entry}
		}
		file, err := sealFor(parse(t, "version: 1\nuser: "+c.user+"\n"), AMD64, accounts)
		if err != nil {
			if c.ok || c.entry != nil {
				t.Errorf("%s: %v", c.user, err)
			}
			continue
		}
		s, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(); (err == nil) != c.ok {
			t.Errorf("user %s, %+v: %v", c.user, c.entry, err)
		}
	}
}

// TestCheck: Check names each difference between a launcher and what a profile seals to.
func TestCheck(t *testing.T) {
	file := mustSeal(t, web, Options{Arch: AMD64})
	other := strings.Replace(web, "33", "34", 1)
	for _, c := range []struct {
		name string
		file []byte
		text string
		arch Arch
		want string // empty if there is no difference
	}{
		{"the same", file, web, 0, ""},
		{"the same architecture", file, web, AMD64, ""},
		{"another architecture", file, web, ARM64, "it is for amd64, not for arm64"},
		{"another profile", file, other, 0, "it has another profile"},
		{"a comment", file, web + "# x\n", 0, "it has another profile"},
		{"both", file, other, ARM64, "it has another profile; it is for amd64, not for arm64"},
		{"another generator", changed(t, file, func(m *image.Image) { m.Facts = []byte("generator 7\nnew fact\n") }), web, 0,
			"version 7 of the generator wrote it, and this is version 1"},
		{"other code", changed(t, file, func(m *image.Image) { m.Code[0] ^= 1 }), web, 0, ErrModified.Error()},
		{"a user", changed(t, file, func(m *image.Image) {
			m.Facts = facts{GeneratorVersion, &machine.Accounts{User: &machine.User{Name: "x", UID: 33}}}.text()
		}), web, 0, `it has user x with uid 33, gid 0, groups [] and home directory "", and the image has no names`},
		{"not a launcher", []byte("\x7fELF"), web, 0, ErrNotSealed.Error()},
		{"a byte added", append(bytes.Clone(file), 0), web, 0, ErrForm.Error()},
	} {
		got := ""
		if err := Check(c.file, parse(t, c.text), Options{Arch: c.arch}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestFacts: parseFacts accepts only what text writes.
func TestFacts(t *testing.T) {
	good := facts{GeneratorVersion, &machine.Accounts{User: &machine.User{Name: "www-data", UID: 33, GID: 34, Groups: []uint32{4, 44}, Home: "/var/www"}, Groups: map[string]uint32{"adm": 4, "video": 44}}}
	text := string(good.text())
	for _, f := range []facts{{GeneratorVersion, nil}, good, {GeneratorVersion, &machine.Accounts{User: &machine.User{Name: "x"}}}} {
		got, err := parseFacts(f.text())
		if err != nil || !bytes.Equal(got.text(), f.text()) {
			t.Errorf("%q: %+v, %v", f.text(), got, err)
		}
	}
	for _, bad := range []string{
		"", "\n", "generator\n", "generator 1", "generator 01\n", "generator -1\n", "generator 1\nx\n", "generator 4294967295\n",
		text + "\n", text + "more 1\n", strings.TrimSuffix(text, "\n"),
		strings.Replace(text, "uid 33", "uid 033", 1), strings.Replace(text, "uid 33", "uid 4294967295", 1),
		strings.Replace(text, "4,44", "4,,44", 1), strings.Replace(text, "/var", "/v\rar", 1), strings.Replace(text, "gid 34\n", "", 1),
	} {
		if f, err := parseFacts([]byte(bad)); err == nil {
			t.Errorf("%q is accepted: %+v", bad, f)
		}
	}
}

// FuzzRead: Read and Verify do not panic. A launcher that Verify accepts is the one that
// its text and its user seal to.
func FuzzRead(f *testing.F) {
	f.Add(mustSeal(f, web, Options{Arch: AMD64}))
	f.Add(mustSeal(f, "version: 1\n", Options{Arch: ARM64}))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := Read(file)
		if err != nil || s.Verify() != nil {
			return
		}
		if again, err := sealFor(parse(t, string(s.Text)), s.Arch, s.Accounts); err != nil || !bytes.Equal(again, file) {
			t.Errorf("another file, %v", err)
		}
	})
}
