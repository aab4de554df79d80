package machine

import (
	"strings"
	"testing"
)

func TestParseFormat(t *testing.T) {
	for text, want := range map[string]string{
		"enabled\ninterpreter /bin/a b\nflags: OCF\noffset 1\nmagic 4142\nmask ff0f\n": "/bin/a b C F",
		"enabled\ninterpreter /bin/a\nflags: P\nextension .x\n":                        "/bin/a",
		"disabled\ninterpreter /bin/a\nflags: \nextension .x\n":                        "disabled",
		"":                                       "error",
		"enabled\ninterpreter /bin/a\nflags: \n": "error",
		"enabled\ninterpreter \nflags: \nextension .x\n":                                  "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset 255\nmagic 4142\n":                  "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset -1\nmagic 4142\n":                   "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset 0\nmagic 4142\nmask ff\n":           "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset 0\nmagic 4\n":                       "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset 0\nmagic 4142\nsomething new\n":     "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset 99999999999999999999\nmagic 4142\n": "error",
		"enabled\ninterpreter /bin/a\nflags: \noffset 9223372036854775807\nmagic 4142\n":  "error",
	} {
		f, ok, err := parseFormat("name", []byte(text))
		got := f.interpreter
		if f.credentials {
			got += " C"
		}
		if f.fixed {
			got += " F"
		}
		switch {
		case err != nil:
			got = "error"
		case !ok:
			got = "disabled"
		}
		if got != want {
			t.Errorf("%q: %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestFindFormat(t *testing.T) {
	all := []format{
		{name: "magic", offset: 1, magic: []byte("AB")},
		{name: "mask", magic: []byte{0x10, 0x00}, mask: []byte{0xf0, 0x00}},
		{name: "extension", extension: "x.y"},
		{name: "zeros", offset: 200, magic: []byte{0, 0}, mask: []byte{0xff, 0xff}},
	}
	full := strings.Repeat("-", headSize)
	for _, c := range []struct {
		formats           []format
		path, head, found string
	}{
		{all[:3], "p", "-AB" + full, "magic"},
		{all[:3], "p", "-A", ""},
		{all[:3], "p", "\x1f" + full, "mask"},
		{all[:3], "p", "\x2f" + full, ""},
		{all[:3], "a.b/p", full, ""},
		{all[:3], "p.y", full, ""},
		{all, "p", "short", "zeros"},
		{all, "p", full, ""},
		{all[:2], "p", "\x10AB", "error"},
		{nil, "p", full, ""},
	} {
		f, err := findFormat(c.formats, c.path, []byte(c.head)[:min(len(c.head), headSize)])
		got := ""
		switch {
		case err != nil:
			got = "error"
		case f != nil:
			got = f.name
		}
		if got != c.found {
			t.Errorf("%q %.10q: %q, want %q", c.path, c.head, got, c.found)
		}
	}
}
