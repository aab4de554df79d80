package platformoracle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/platform/systemd"

	"github.com/coreos/go-systemd/v22/unit"
)

// flat returns the options that the library reads, each on one line. The library keeps the
// backslash and the line feed of a continued line.
func flat(text string) (string, error) {
	options, err := unit.DeserializeOptions(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, o := range options {
		fmt.Fprintf(&b, "[%s]\n%s=%s\n", o.Section, o.Name, strings.ReplaceAll(o.Value, "\\\n", " "))
	}
	return b.String(), nil
}

// meaning is what Read makes of a unit, without positions.
func meaning(text string) string {
	r := systemd.Read(declared.File{Name: "a@b.service", Text: []byte(text)}, nil, nil)
	var b strings.Builder
	for _, d := range r.Findings {
		fmt.Fprintln(&b, d.Rule)
	}
	for _, p := range r.Processes {
		fmt.Fprintf(&b, "%+v\n", p.Sets)
		if document, err := p.Document(); err != nil {
			fmt.Fprintln(&b, err)
		} else {
			fmt.Fprintf(&b, "%s\n", comment.ReplaceAll(document.Text, nil))
		}
		for _, l := range p.Losses {
			fmt.Fprintln(&b, l.What)
		}
		for _, d := range p.Findings {
			fmt.Fprintln(&b, d.Rule, d.Message)
		}
	}
	return b.String()
}

var comment = regexp.MustCompile(`(?m)^ *#.*\n`)

// inContinuation finds what the library reads in another way than systemd: a comment
// between continued lines.
var inContinuation = regexp.MustCompile(`(?m)\\\n[ \t]*[#;]`)

// TestUnitFiles: for the units of this machine, the library finds the same sections, keys
// and values.
func TestUnitFiles(t *testing.T) {
	files, err := filepath.Glob("/lib/systemd/system/*.service")
	if err != nil || len(files) < 20 {
		requires.Skip(t, "the units of systemd")
	}
	compared := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || inContinuation.Match(text) {
			continue
		}
		library, err := flat(string(text))
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if got, want := meaning(string(text)), meaning(library); got != want {
			t.Errorf("%s:\n%s\nand after the library:\n%s", f, got, want)
		}
		compared++
	}
	if compared < 20 {
		t.Errorf("%d units compared", compared)
	}
}

// TestUnitTexts is TestUnitFiles for random units.
func TestUnitTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	for range 3000 {
		var b strings.Builder
		b.WriteString("[Service]\nExecStart=/bin/x\n")
		for range random.IntN(12) {
			switch random.IntN(8) {
			case 0:
				b.WriteString(pick("", "# comment", "; comment", "[Unit]", "[Install]", "[X-Other]", "[Service]") + "\n")
				b.WriteString(pick("", "[Service]\n"))
			default:
				b.WriteString(pick("", " ", "\t") + pick("User", "Group", "CapabilityBoundingSet", "AmbientCapabilities", "Environment",
					"SupplementaryGroups", "NoNewPrivileges", "LimitNOFILE", "UMask", "PrivateDevices", "Restart", "Usr"))
				b.WriteString(pick("", " ") + "=" + pick("", " ", "\t"))
				for n := random.IntN(4); n > 0; n-- {
					b.WriteString(pick("CAP_CHOWN", "~CAP_KILL", "CAP_NET_RAW", "A=1", `"B=2 3"`, "yes", "no", "www", "33", "%i", "%%", "=", "#", ";", `\x41`, "0022", "é"))
					b.WriteString(pick(" ", "  ", " \\\n", " \\\n  "))
				}
				b.WriteString(pick("x", "CAP_KILL", "yes", "1", "C=1") + pick("", " ") + "\n")
			}
		}
		text := b.String()
		if inContinuation.MatchString(text) {
			continue
		}
		library, err := flat(text)
		if err != nil {
			continue
		}
		if got, want := meaning(text), meaning(library); got != want {
			t.Fatalf("%s\n%s\nand after the library:\n%s\n%s", text, got, library, want)
		}
	}
}
