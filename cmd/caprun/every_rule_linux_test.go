package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/docs/rules"
	"caprun/engine/review"
	"caprun/internal/test/outputs"
	"caprun/policy"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"golang.org/x/sys/unix"
)

// notByCheck are the rules that check reports for no profile, with the reason.
var notByCheck = map[string]string{
	"internal-error":           "a bug in caprun",
	"host-unreadable":          "a broken machine",
	"missing-capability":       "the caller of a launch; check -host assumes root, apart from limits",
	"caller-conflict":          "the caller of a launch",
	"secbits-conflict":         "the caller of a launch",
	"capability-not-in-kernel": "an old kernel",
	"not-expressed":            "import and explain",
}

// needsRoot are the rules whose profiles need files of other users, which only root can
// create.
var needsRoot = []string{"target-writable", "chroot-writable", "identity-lost", "ambient-lost", "target-conflict"}

// TestEveryRule checks a directory with a violation of every rule, in each format.
func TestEveryRule(t *testing.T) {
	dir, want := everyRule(t)
	check := func(format string, flags ...string) string {
		t.Helper()
		args := append([]string{"check", "-fail-on", "never", "-format", format, "-host", "-ceiling", filepath.Join(dir, "ceiling")}, flags...)
		cmd := exec.Command(caprun(t), append(args, "profiles")...)
		cmd.Dir = dir
		var messages bytes.Buffer
		cmd.Stderr = &messages
		out, err := cmd.Output()
		if err != nil || messages.Len() > 0 {
			t.Fatalf("-format %s: %v\n%s", format, err, messages.String())
		}
		return string(out)
	}

	counts := map[string]map[string]int{}
	for format, pattern := range map[string]string{
		"human":   `(?m)^\S+: (?:error|warning|info): .* \[([a-z0-9-]+)\]$`,
		"oneline": `(?m)^\S+: (?:error|warning|info): .* \[([a-z0-9-]+)\]$`,
		"github":  `(?m)^::(?:error|warning|notice) .*title=caprun%3A ([a-z0-9-]+)::`,
	} {
		counts[format] = map[string]int{}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(check(format), -1) {
			counts[format][m[1]]++
		}
	}

	var object struct {
		Findings []struct {
			Rule       string
			Suppressed *struct{}
		}
	}
	decodeJSON(t, check("json"), &object)
	if err := outputs.Validate("check", []byte(check("json"))); err != nil {
		t.Error(err)
	}
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID       string
				Suppressions []struct{}
			}
		}
	}
	sarif := check("sarif")
	decodeJSON(t, sarif, &log)
	counts["json"], counts["sarif"] = map[string]int{}, map[string]int{}
	suppressed := 0
	for _, f := range object.Findings {
		if f.Suppressed == nil {
			counts["json"][f.Rule]++
		} else {
			suppressed++
		}
	}
	for _, r := range log.Runs[0].Results {
		if len(r.Suppressions) == 0 {
			counts["sarif"][r.RuleID]++
		} else {
			suppressed--
		}
	}
	if suppressed != 0 {
		t.Error("json and sarif have different numbers of suppressed findings")
	}

	for format, have := range counts {
		for _, name := range want {
			if have[name] == 0 {
				t.Errorf("%s: %s is missing", format, name)
			}
		}
		if !maps.Equal(have, counts["oneline"]) {
			t.Errorf("%s and oneline differ:\n%v\n%v", format, have, counts["oneline"])
		}
	}
	if err := publishedSARIF(t).Validate(anyJSON(t, sarif)); err != nil {
		t.Errorf("the log does not match the SARIF schema: %#v", err)
	}
}

// everyRule writes a profile for each rule, most of them the bad example of its page,
// into the directory profiles, and the file ceiling. It returns the rules.
func everyRule(t *testing.T) (dir string, want []string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	made := map[string]string{
		"file-too-large": "version: 1\n# " + strings.Repeat("x", policy.MaxSize) + "\n",
		"too-long":       "version: 1\ndescription: " + strings.Repeat("x", 4097) + "\n",
		"bad-encoding":   "version: 1\ndescription: caf\xe9\n",
	}
	if os.Getuid() == 0 {
		maps.Copy(made, writableProfiles(t, dir))
	}
	block := regexp.MustCompile("(?s)```(yaml|ini|conf)\n(.*?)```")
	for _, r := range review.Rules() {
		if notByCheck[r.Name] != "" || os.Getuid() != 0 && slices.Contains(needsRoot, r.Name) {
			continue
		}
		want = append(want, r.Name)
		if text, ok := made[r.Name]; ok {
			write("profiles/"+r.Name+".yaml", text)
			continue
		}
		page, ok := rules.Page(r.Name)
		if !ok {
			t.Fatalf("no page for %s", r.Name)
		}
		_, page, _ = strings.Cut(page, "\n## Bad\n")
		bad, _, _ := strings.Cut(page, "\n## ")
		example := block.FindStringSubmatch(bad)
		if example == nil {
			t.Fatalf("the page of %s has no bad example", r.Name)
		}
		suffix := map[string]string{"yaml": ".yaml", "ini": ".service", "conf": ".service.d/x.conf"}[example[1]]
		write("profiles/"+r.Name+suffix, example[2])
	}
	page, _ := rules.Page("above-ceiling")
	_, page, _ = strings.Cut(page, "\n## Ceiling\n")
	write("ceiling.yaml", block.FindStringSubmatch(page)[2])
	if err := os.Rename(filepath.Join(dir, "ceiling.yaml"), filepath.Join(dir, "ceiling")); err != nil {
		t.Fatal(err)
	}
	return dir, want
}

// writableProfiles creates files that the target's user can write, or that change the
// declared privileges, and the profiles that name them.
func writableProfiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	for _, name := range []string{"server", "setuid", "empty"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\x7fELF"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const revision2, effective = "\x01\x00\x00\x02", "\x00\x04\x00\x00" // cap_net_bind_service
	caps := revision2 + effective + strings.Repeat("\x00", 12)
	if err := errors.Join(
		os.Chmod(filepath.Dir(dir), 0o711), os.Chmod(dir, 0o755),
		os.Mkdir(filepath.Join(dir, "jail"), 0o755), os.Chown(filepath.Join(dir, "jail"), 33, 0),
		os.Chown(filepath.Join(dir, "server"), 33, 0), os.Chown(filepath.Join(dir, "setuid"), 44, 0), os.Chmod(filepath.Join(dir, "setuid"), 0o755|os.ModeSetuid),
		unix.Setxattr(filepath.Join(dir, "empty"), "security.capability", []byte(caps), 0),
	); err != nil {
		t.Fatal(err)
	}
	const head = "version: 1\nuid: 33\ngid: 33\n"
	const bind = head + "caps: cap_net_bind_service=eip\n"
	const ambient = head + "iab: ^cap_net_bind_service\n"
	return map[string]string{
		"target-writable": bind + "no_new_privs: true\ncommand: [" + dir + "/server]\n",
		"chroot-writable": head + "caps: \"=\"\nno_new_privs: true\nchroot: " + dir + "/jail\n",
		"identity-lost":   head + "caps: \"=\"\ncommand: [" + dir + "/setuid]\n",
		"ambient-lost":    ambient + "command: [" + dir + "/empty]\n",
		"target-conflict": head + "caps: cap_net_raw=eip\ncommand: [" + dir + "/empty]\n",
	}
}

func decodeJSON(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func anyJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	decodeJSON(t, text, &v)
	return v
}

// publishedSARIF returns the SARIF schema that OASIS has published.
func publishedSARIF(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../../engine/review/testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.LoadURL = func(url string) (io.ReadCloser, error) { return nil, errors.New("unexpected reference: " + url) }
	if err := c.AddResource("sarif.json", bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
