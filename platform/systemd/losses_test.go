package systemd

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caprun/platform/declared"
)

// TestLosses: what systemd does as root for the process, and its keyring.
func TestLosses(t *testing.T) {
	const keyring = "systemd gives the process a new session keyring"
	for _, test := range []struct{ lines, want string }{
		{"ExecStart=/bin/x", "2 " + keyring},
		{"ExecStart=/bin/x\nKeyringMode=private", "3 " + keyring},
		{"ExecStart=/bin/x\nKeyringMode=shared", "3 KeyringMode=shared links the keyring of the user into the session keyring|3 " + keyring},
		{"ExecStart=/bin/x\nKeyringMode=inherit", ""},
		{"ExecStart=/bin/x\nUser=web\nKeyringMode=inherit", ""},
		{"ExecStart=/bin/x\nUser=web", ""},
		{"ExecStart=/bin/x\nUser=web\nExecStopPost=+/bin/y", "3 the command runs as root with the supplementary groups of web|4 " + keyring},
		{"ExecStart=+/bin/x\nDynamicUser=yes\nKeyringMode=inherit", "3 the command runs as root with the supplementary groups of the allocated user"},
		{"ExecStart=+/bin/x\nDynamicUser=yes\nUser=root\nKeyringMode=inherit", ""},
		{"ExecStart=/bin/x\nUser=%h", "2 " + keyring},
		{"ExecStart=/bin/x\nUser=web\nStandardInput=file:/in\nStandardOutput=append:/out\nStandardError=truncate:/error",
			"4 StandardInput=file:/in is opened as root|5 StandardOutput=append:/out is opened as root|6 StandardError=truncate:/error is opened as root"},
		{"ExecStart=/bin/x\nUser=web\nStandardOutput=file:/out\nStandardOutput=journal\nStandardInput=null", ""},
		{"ExecStart=/bin/x\nUser=web\nStandardInputText=a\nStandardInputData=YQ==\nOpenFile=/x:name",
			"4 StandardInputText=a is the standard input|5 StandardInputData=YQ== is the standard input|6 OpenFile=/x:name is opened as root and passed to the program"},
		{"ExecStart=/bin/x\nUser=web\nStandardInputText=a\nStandardInputText=", ""},
	} {
		var got []string
		for _, p := range read(test.lines).Processes {
			for _, l := range p.Losses {
				got = append(got, fmt.Sprint(l.At.Line, " ", l.What))
			}
		}
		if s := strings.Join(got, "|"); s != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.lines, s, test.want)
		}
	}
}

// TestEachLoss: every variable that the profile does not have is a loss.
func TestEachLoss(t *testing.T) {
	pass, arguments := "PassEnvironment=", "EnvironmentFile=/f\nExecStart=/bin/x"
	for n := range 1030 {
		pass += fmt.Sprintf("V%d ", n)
	}
	for n := range 20 {
		arguments += fmt.Sprintf(" $V%d", n)
	}
	for lines, want := range map[string]string{
		"User=web\nExecStart=/bin/x\n" + pass: "a profile cannot have so many variables: V1029",
		"User=web\n" + arguments:              `the value of $V19 is unknown; the profile has ""`,
	} {
		r := read(lines)
		if len(r.Processes) != 1 {
			t.Fatalf("%v", r.Findings)
		}
		if !slices.ContainsFunc(r.Processes[0].Losses, func(l declared.Loss) bool { return l.What == want }) {
			t.Errorf("no loss %q: %v", want, r.Processes[0].Losses)
		}
	}
}
