package machine

import (
	"strings"
	"testing"
)

func TestInterpreter(t *testing.T) {
	long := "#!/" + strings.Repeat("x", headSize)
	for _, c := range []struct {
		head, path string
		script     bool
	}{
		{"\x7fELF", "", false},
		{"", "", false},
		{"#", "", false},
		{"#!", "", true},
		{"#!\n", "", true},
		{"#!/bin/sh\necho", "/bin/sh", true},
		{"#! \t/bin/sh -e x\n", "/bin/sh", true},
		{"#!/bin/sh", "/bin/sh", true},
		{"#!/bin/sh\r\n", "/bin/sh\r", true},
		{"#!sh\n", "sh", true},
		{long[:headSize], "", true},
		{(long[:100] + " -e" + long)[:headSize], long[2:100], true},
		{("#!/bin/sh" + strings.Repeat(" ", headSize))[:headSize], "/bin/sh", true},
		{("#! " + strings.Repeat("\t", headSize))[:headSize], "", true},
		{"#!/bin/sh \t ", "/bin/sh", true},
		{"#! \t ", "", true},
		{"#!/bin/a\x00b\n", "/bin/a", true},
	} {
		path, script := interpreter([]byte(c.head))
		if path != c.path || script != c.script {
			t.Errorf("%.20q: %q, %v; want %q, %v", c.head, path, script, c.path, c.script)
		}
	}
}
