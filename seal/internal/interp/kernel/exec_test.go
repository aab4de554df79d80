package kernel

import (
	"slices"
	"strings"
	"testing"

	"caprun/seal/internal/interp"
	"caprun/seal/internal/op"
)

func TestExec(t *testing.T) {
	for _, test := range []struct {
		path   string
		result int64
		file   string
		args   string
	}{
		{"/bin/tool", 0, "/bin/tool", "A B"},
		{"link", 0, "/bin/tool", "A B"},
		{"/bin/script", 0, "/bin/tool", "/bin/tool -x y /bin/script B"},
		{"/bin/bad", -ENOENT, "", ""},
		{"/bin/text", -ENOEXEC, "", ""},
		{"/bin", -EACCES, "", ""},
		{"/noexec/tool", -EACCES, "", ""},
		{"/none", -ENOENT, "", ""},
	} {
		m := start(t)
		m.Files[5], m.Files[6] = File{Node: anonymous}, File{Node: anonymous, CloseOnExec: true}
		m.Handlers[1], m.Handlers[2] = sigIgnore, 5000
		result, err := m.try(op.Execve, m.text(test.path), m.words(m.text("A"), m.text("B"), 0), m.words(m.text("X=1"), 0))
		if m.Started == nil {
			if err != nil || result != test.result || test.file != "" {
				t.Errorf("%s: %d, %v", test.path, result, err)
			}
			continue
		}
		s := m.Started
		_, kept := s.Files[5]
		_, marked := s.Files[6]
		if err != interp.ErrExec || s.File.Path() != test.file || strings.Join(s.Args, " ") != test.args || !slices.Equal(s.Env, []string{"X=1"}) ||
			!kept || marked || s.Handlers[1] != sigIgnore || s.Handlers[2] != sigDefault {
			t.Errorf("%s: %v, %+v", test.path, err, s)
		}
	}
}

func TestSetID(t *testing.T) {
	for path, want := range map[string]uint32{"/bin/setid": 9, "/nosuid/tool": 7, "/foreign/tool": 7} {
		m := start(t)
		m.want(0, op.Setresuid, 7, 7, 7)
		m.Limits[limitStack] = Limit{1 << 40, 1 << 40}
		n, _ := m.walk(m.Tree, path, true)
		n.UID, n.GID = 9, 9
		m.DeathSignal = 4
		_, err := m.try(op.Execve, m.text(path), m.words(m.text("A"), 0), m.words(0))
		s := m.Started
		if err != interp.ErrExec || s.Cred.EUID != want || s.Secure != (want == 9) || s.Secure != (s.DeathSignal == 0) ||
			s.Secure != (s.Limits[limitStack].Soft == 8<<20) || m.DeathSignal != 4 {
			t.Errorf("%s: %v, %+v", path, err, s)
		}
	}
}

func TestReadScript(t *testing.T) {
	for content, want := range map[string]string{
		"#!/bin/sh\n":                            "/bin/sh||true",
		"#! \t/bin/sh  -e  x \t\nrest":           "/bin/sh|-e  x|true",
		"#!/bin/sh":                              "/bin/sh||true",
		"#!\n":                                   "||false",
		"#! \t":                                  "||false",
		"text":                                   "||false",
		"":                                       "||false",
		"#!/bin/sh\x00-e\n":                      "/bin/sh||true",
		"#!" + strings.Repeat("x", 254):          "||false",
		"#!" + strings.Repeat("x", 253) + "\n":   strings.Repeat("x", 253) + "||true",
		"#!" + strings.Repeat("x", 253) + " y\n": strings.Repeat("x", 253) + "||true",
	} {
		path, argument, ok := readScript([]byte(content))
		got := path + "|" + argument + "|" + map[bool]string{true: "true", false: "false"}[ok]
		if got != want {
			t.Errorf("%q: %s, expected %s", content, got, want)
		}
	}
}
