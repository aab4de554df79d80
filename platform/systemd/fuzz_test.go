package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/platform/declared"
	"caprun/policy"
)

// checkResult verifies what must be true of every result.
func checkResult(t *testing.T, r declared.Result) {
	t.Helper()
	if len(r.Processes) == 0 && len(r.Findings) == 0 {
		t.Fatal("no process and no finding")
	}
	if len(r.Processes) > 0 && len(r.Findings) > 0 {
		t.Fatalf("processes and %v", r.Findings)
	}
	checkFindings(t, r.Findings)
	for _, p := range r.Processes {
		checkFindings(t, p.Findings)
		if found := r.Processes[0].Findings; p.Sets.UnknownUID && !p.Sets.NotRoot && !slices.ContainsFunc(found, isUnknownIdentity) {
			t.Fatalf("%s: no finding about an unknown user who may be root: %v", p.Name, found)
		}
		d, err := p.Document()
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		for line := range strings.Lines(string(d.Text)) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				t.Fatalf("control character in %q", line)
			}
		}
		for _, l := range p.Losses {
			const most = 1000
			if l.What == "" || len(l.What) > most || len(l.At.Text) > most || l.At.Line < 1 || l.At.Column < 1 {
				t.Fatalf("%+v", l)
			}
		}
	}
}

func isUnknownIdentity(d policy.Diagnostic) bool { return d.Rule == "identity-not-declared" }

func checkFindings(t *testing.T, list []policy.Diagnostic) {
	t.Helper()
	for _, d := range list {
		const most = 1000
		if len(d.Message) > most || len(d.Hint) > most || d.Line < 1 || d.Column < 1 || d.EndLine < d.Line || d.EndLine == d.Line && d.EndColumn < d.Column {
			t.Fatalf("%v %+v", d, d.Position)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a@b.service", "[Service]\nExecStart=/bin/x ${A} $B \"c d\" %i\nUser=%i\nEnvironment=A=1 \"B=2 3\"\n", "[Service]\nCapabilityBoundingSet=~CAP_KILL \\\n#c\n CAP_CHOWN\n", "[Socket]\nListenStream=80\n")
	f.Add("a.service", "[Service]\nType=oneshot\nExecStart=-@:!!/bin/x y ; +/bin/z\nLimitNOFILE=1:infinity\nLimitCPU=1min\nUMask=0077\n", "", "")
	f.Add("x@.service", "[Service]\nExecStart=+/bin/x\nExecStop=/bin/y\nUser=%i\n", "", "")
	f.Add("x", "[Unit]\nUser=a\n[Service]\nExecStop=/a\nDynamicUser=yes\nStateDirectory=a b:c\nSecureBits=noroot\nUnsetEnvironment=A=1 B\n", "[Service]\nSystemCallFilter=@x\nPrivateDevices=1\n", "[Socket]\nAccept=yes\n")
	files, _ := filepath.Glob("testdata/public/*.service")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(name), string(text), "", "")
	}
	f.Fuzz(func(t *testing.T, name, unit, dropIn, socket string) {
		checkResult(t, Read(file(name, unit), []declared.File{file("d.conf", dropIn)}, []declared.File{file("s.socket", socket), file("a.socket", socket), file("s.socket.d/d.conf", dropIn)}))
	})
}

// TestHostile: large and malicious units take a short time, and every process that is read
// has a profile.
func TestHostile(t *testing.T) {
	const start = "[Service]\nExecStart=/bin/x"
	many := func(line string, n int) string { return start + "\n" + strings.Repeat(line+"\n", n) }
	for name, text := range map[string]string{
		"arguments":       start + strings.Repeat(" a", 400_000),
		"variables":       many("Environment="+strings.Repeat("A=1 ", 200), 1000),
		"names":           start + "\nEnvironment=" + manyNames(60_000),
		"long value":      start + "\nEnvironment=A=" + strings.Repeat("x", 900_000),
		"long name":       start + "\nEnvironment=" + strings.Repeat("x", 900_000) + "=1",
		"expansion":       start + strings.Repeat(" $A", 3000) + "\nEnvironment=\"A=" + strings.Repeat("b ", 30_000) + "\"",
		"braces":          start + " " + strings.Repeat("${", 400_000),
		"braces expand":   start + " " + strings.Repeat("${A}", 100_000) + "\nEnvironment=A=" + strings.Repeat("b", 30_000),
		"specifiers":      start + " " + strings.Repeat("%n", 400_000),
		"capabilities":    start + "\nCapabilityBoundingSet=" + strings.Repeat("CAP_X ", 150_000),
		"groups":          start + "\nUser=a\nSupplementaryGroups=" + strings.ReplaceAll(manyNames(60_000), "=1", ""),
		"bad groups":      start + "\nSupplementaryGroups=" + strings.Repeat("a:b ", 200_000),
		"losses":          many("ReadWritePaths="+strings.Repeat("/a ", 60), 4000),
		"unknown keys":    many(strings.Repeat("NoNewPrivilegs", 4)+"=1", 4000),
		"misspelt":        many("NoNewPrivilege=1", 4000),
		"sections":        start + "\n" + strings.Repeat("[a]\n", 200_000),
		"commands":        "[Service]\nType=oneshot\nExecStart=" + strings.Repeat("/bin/x ; ", 200),
		"more commands":   "[Service]\nType=oneshot\nExecStart=" + strings.Repeat("/bin/x ; ", 100_000),
		"continued":       start + "\nUser=\\\n" + strings.Repeat("\\\n", 400_000),
		"comments":        start + "\nUser=\\\n" + strings.Repeat("#\n", 400_000),
		"backslashes":     start + " " + strings.Repeat(`\`, 900_000),
		"quotes":          start + " " + strings.Repeat(`"`, 900_000),
		"directional":     start + " \u202e\nEnvironment=A=\u202e \nUser=a\u202eb\nWorkingDirectory=/\u2066\nRootDirectory=/a\u200e",
		"escapes":         start + ` \x1b\x01` + "\n" + `Environment=A=\x1b B=\n C=\t D=\u2028 E=\xff` + "\nPIDFile=/a\u2028",
		"paths":           start + "\nWorkingDirectory=/" + strings.Repeat("a/", 100_000) + "\nRootDirectory=/" + strings.Repeat("../", 1000),
		"user":            start + "\nUser=" + strings.Repeat("a", 900_000),
		"directories":     start + "\nStateDirectory=" + strings.Repeat("a ", 400_000),
		"long prefix":     "[Service]\nExecStart=" + strings.Repeat("-", 400_000) + "/bin/x",
		"tabs":            start + "\n" + strings.Repeat("\t", 900_000),
		"unit separators": start + "\nUser=a\u0085b\nGroup=\u00a0x",
	} {
		began := time.Now()
		r := Read(file("a@b.service", text), nil, nil)
		checkResult(t, r)
		const most = 10 * time.Second
		if took := time.Since(began); took > most {
			t.Errorf("%s: %v", name, took)
		}
	}
	drops := make([]declared.File, maxFiles+1)
	checkResult(t, Read(file("a.service", start), drops, nil))
	checkResult(t, Read(file("a.service", start), drops[:maxFiles], drops[:maxFiles]))
	checkResult(t, Read(declared.File{}, nil, nil))
	var sockets []declared.File
	listen := "[Socket]\n" + strings.Repeat("ListenStream=1\n", 60_000)
	for n := range maxFiles / 2 {
		sockets = append(sockets, file(fmt.Sprintf("%d.socket", n), "[Socket]\nService=a.service"), file(fmt.Sprintf("socket.d/%d.conf", n), listen))
	}
	began := time.Now()
	checkResult(t, Read(file("a.service", start), nil, sockets))
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("sockets: %v", took)
	}
}

// manyNames returns n assignments of variables.
func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte('A')
		for ; i > 0; i /= 26 {
			b.WriteByte(byte('A' + i%26))
		}
		b.WriteString("=1 ")
	}
	return b.String()
}
