package review

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/docs/rules"
	"caprun/policy"
)

// TestHints follows each hint that can be followed literally: the finding must then
// be gone. The profiles are the examples of the pages, the test data of package
// policy, and some more.
func TestHints(t *testing.T) {
	followed := map[string]int{}
	for name, text := range hinted(t) {
		for _, f := range Check(name, []byte(text), Options{}).Findings {
			how, fixed := follow(text, f.Diagnostic)
			if how == "" {
				continue
			}
			followed[how]++
			for _, again := range Check(name, []byte(fixed), Options{}).Findings {
				if again.Rule == f.Rule && again.Message == f.Message && again.Position == f.Position {
					t.Errorf("%s: %v\n%s\nis still reported in\n%s", name, f, f.Hint, fixed)
				}
			}
			if strings.HasPrefix(how, "write") || how == "mean" {
				for _, other := range Check(name, []byte(fixed), Options{}).Findings {
					if other.Rule == f.Rule && other.Line == f.Line && other.Column == f.Column {
						t.Errorf("%s: %v\n%s\nleads to %v in\n%s", name, f, f.Hint, other, fixed)
					}
				}
			}
		}
	}
	for _, how := range []string{"write", "write key", "mean", "remove", "add key", "add bit", "leave", "delete"} {
		if followed[how] < 2 {
			t.Errorf("%q is followed %d times: %v", how, followed[how], followed)
		}
	}
}

// hinted returns profiles with mistakes, by name.
func hinted(t *testing.T) map[string]string {
	t.Helper()
	const user = "version: 1\nuid: 33\ngid: 33\nno_new_privs: true\n"
	all := map[string]string{
		"cap case":      user + "caps: CAP_NET_RAW=eip\n",
		"cap short":     user + "caps: net_raw,Kill=eip\n",
		"cap number":    user + "caps: 013=eip\n",
		"cap all":       user + "caps: all=eip cap_kill=p\n",
		"clauses":       user + "caps: cap_kill=eip cap_net_raw=eip\n",
		"clauses, two":  user + "caps: cap_kill=p cap_net_raw=eip cap_chown=ei\n",
		"not canonical": user + "caps: \"= cap_kill+e cap_kill+ip\"\n",
		"iab twice":     user + "iab: \"^10,!cap_kill,^!%10\"\n",
		"no caps":       user + "caps: =eip-eip\n",
		"umask":         user + "umask: 022\n",
		"umask octal":   user + "umask: 0o27\n",
		"umask short":   user + "umask: \"7\"\n",
		"path":          user + "cwd: /srv//x/../y/\n",
		"numbers":       "version: 1\nuid: 0x21\ngid: \"33\"\ngroups: [010, 1_0, +5, 3.0, 0o7, 1e1]\n",
		"quoted user":   "version: 1\nuser: \"33\"\n",
		"keep":          user + "env: {keep: PATH}\n",
		"secbits":       user + "secbits: [norot, NOROOT, noroot_locked, SECBIT_NO_SETUID_FIXUP]\n",
		"bits":          user + "secbits: [exec_restrict_file, exec_deny_interactive]\n",
		"rlimits":       user + "rlimits: {nofiles: 1, cpu: -1, core: {soft: 3}}\n",
		"keys":          user + "capabilities: \"=\"\nEnv: {sett: {A: b}}\nlint: {ignor: []}\n",
		"mode":          user + "mode: pure1e\n",
		"false":         "version: 1\nno_new_privs: false\nnew_session: false\n",
		"yes":           "version: 1\nno_new_privs: yes\nnew_session: \"true\"\n",
		"editor":        user + "caps: \"=\"\ncommand: [/usr/bin/vim]\n",
		"list":          user + "command: /bin/x\n",
		"version":       "version: 2\nuid: 3\ngid: 3\n",
		"unreachable":   user + "caps: cap_kill=ep\n",
		"unreachable 2": user + "caps: cap_kill=p\nsecbits: [noroot]\n",
		"iab conflict":  user + "caps: cap_kill=eip\niab: ^cap_chown\n",
		"lint":          user + "caps: \"=\"\nlint:\n  ignore:\n    - {rule: no-new-priv-missing, reason: x}\n    - rule: umask-open\n      reason: x\n",
		"lint, one":     user + "caps: \"=\"\nlint: {ignore: [{rule: shell-command, reason: x}]}\n",
	}
	err := filepath.WalkDir(filepath.Join("..", "..", "policy", "testdata"), func(path string, d fs.DirEntry, err error) error {
		// It has more control characters than are reported.
		if err == nil && strings.HasSuffix(path, ".yaml") && d.Name() != "binary.yaml" {
			text, readErr := os.ReadFile(path)
			all[path], err = string(text), readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		text, _ := rules.Page(r.Name)
		for _, b := range readPage(t, text).blocks(t, "Bad") {
			if b.kind == "yaml" {
				all["page of "+r.Name] = b.text
			}
		}
	}
	return all
}

// follow applies a hint that can be followed literally, and returns its kind.
func follow(text string, f policy.Diagnostic) (how, fixed string) {
	begin, end, ok := span(text, f.Position)
	if !ok {
		return "", ""
	}
	replace := func(by string) string { return text[:begin] + by + text[end:] }
	if m := regexp.MustCompile(`^did you mean (\S+)\?$`).FindStringSubmatch(f.Hint); m != nil {
		return "mean", replace(m[1])
	}
	if m := regexp.MustCompile(`^write ([a-z_]+): (\S+|"[^"]*")(?: |$)`).FindStringSubmatch(f.Hint); m != nil && strings.Contains("\n"+text, "\n"+m[1]+": ") && m[2] != "NAME" {
		line := regexp.MustCompile(`(?m)^` + m[1] + `: .*$`)
		return "write key", line.ReplaceAllLiteralString(text, m[1]+": "+strings.TrimSuffix(m[2], ","))
	}
	if m := regexp.MustCompile(`^write ("[^"]*"|\[[^ ]*\]|[^\s,{…]+(?:,cap_\w+)*(?:=\w+)?)(?:$|, or | without quotes)`).FindStringSubmatch(f.Hint); m != nil {
		return "write", replace(m[1])
	}
	if m := regexp.MustCompile(`^add ([a-z_]+: true)(?:;|$)`).FindStringSubmatch(f.Hint); m != nil {
		return "add key", text + m[1] + "\n"
	}
	if m := regexp.MustCompile(`^add ([a-z_]+(?:, [a-z_]+)*)(?:, or leave the lock out)?$`).FindStringSubmatch(f.Hint); m != nil && strings.Contains(text, "\nsecbits: [") {
		return "add bit", strings.Replace(text, "\nsecbits: [", "\nsecbits: ["+m[1]+", ", 1)
	}
	if m := regexp.MustCompile(`^delete (?:lint|the entry) on lines? (\d+)(?: to (\d+))?$`).FindStringSubmatch(f.Hint); m != nil {
		first, _ := strconv.Atoi(m[1])
		last := first
		if m[2] != "" {
			last, _ = strconv.Atoi(m[2])
		}
		lines := strings.SplitAfter(text, "\n")
		return "delete", strings.Join(slices.Delete(lines, first-1, last), "")
	}
	switch {
	case f.Hint == "remove it":
		return "remove", replace("")
	case strings.HasSuffix(f.Hint, "leave the key out") && f.Line == f.EndLine:
		lines := strings.SplitAfter(text, "\n")
		return "leave", strings.Join(slices.Delete(lines, f.Line-1, f.Line), "")
	}
	return "", ""
}

// span returns the byte offsets of a position.
func span(text string, at policy.Position) (begin, end int, ok bool) {
	offset := func(line, column int) int {
		from := 0
		for range line - 1 {
			n := strings.IndexByte(text[from:], '\n')
			if n < 0 {
				return -1
			}
			from += n + 1
		}
		for range column - 1 {
			if from >= len(text) {
				return -1
			}
			from += len(string([]rune(text[from:min(from+4, len(text))])[:1]))
		}
		return from
	}
	begin, end = offset(at.Line, at.Column), offset(at.EndLine, at.EndColumn)
	return begin, end, begin >= 0 && begin <= end
}
