//go:build linux

package platforms

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/launches"
	"caprun/platform/declared"
	"caprun/platform/oci"
	"caprun/policy"
)

// importedProcesses are processes of a config.json whose sets contradict each other, or whose
// values have a default. refused has words of the finding, if the runtimes refuse to start.
var importedProcesses = map[string]struct {
	process string
	only    string // the runtime that it is for, if the other differs
	refused string
}{
	"default":                     {process: `"user": {}`},
	"null":                        {process: `"user": null, "capabilities": null`},
	"another user":                {process: `"user": {"uid": 33, "gid": 33}, "capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"]}`},
	"ambient, not inheritable":    {process: `"user": {"uid": 33, "gid": 33}, "capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]}`},
	"ambient, not permitted":      {process: `"user": {"uid": 33, "gid": 33}, "capabilities": {"bounding": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}`},
	"ambient of root":             {process: `"capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}`},
	"permitted less":              {process: `"capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"]}`},
	"permitted more":              {process: `"capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL", "CAP_CHOWN"]}`},
	"permitted less, withheld":    {process: `"noNewPrivileges": true, "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"]}`},
	"inheritable":                 {process: `"user": {"uid": 33, "gid": 33, "additionalGids": [33, 4]}, "capabilities": {"bounding": ["CAP_KILL"], "inheritable": ["CAP_KILL"]}`},
	"unknown capability":          {process: `"capabilities": {"bounding": ["CAP_FOO", "KILL", "CAP_CHOWN", "+7", "63"]}`},
	"lower case, runc":            {process: `"capabilities": {"bounding": ["CAP_CHOWN"]}`, only: "runc"},
	"lower case, crun":            {process: `"capabilities": {"bounding": ["CAP_CHOWN", "cap_kill", "0x7", "010 ", "CAP_BPF,CAP_SYS_ADMIN"]}`, only: "crun"},
	"umask":                       {process: `"user": {"umask": 1023}`},
	"two limits":                  {process: `"rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 2}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 1}]`},
	"inheritable, not bounding":   {process: `"capabilities": {"inheritable": ["CAP_KILL"]}`, refused: "inheritable has cap_kill"},
	"effective, not permitted":    {process: `"capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"]}`, refused: "effective has cap_kill"},
	"soft limit above hard":       {process: `"rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]`, refused: "soft limit 2 is above"},
	"unknown limit":               {process: `"rlimits": [{"type": "RLIMIT_FOO", "soft": 2, "hard": 2}]`, refused: "unknown limit"},
	"gid that runc does not have": {process: `"user": {"gid": 2147483648}`, only: "runc", refused: "runc refuses"},
}

// TestImportOCI starts configurations in runc and crun: the plan of the profile that the
// reader makes has the state that the program reports, and what the runtimes refuse has a
// finding.
func TestImportOCI(t *testing.T) {
	for _, name := range []string{"runc", "crun"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			runtime := NewRuntime(t, name, dir)
			for _, title := range slices.Sorted(maps.Keys(importedProcesses)) {
				c := importedProcesses[title]
				if c.only != "" && c.only != name {
					continue
				}
				t.Run(title, func(t *testing.T) {
					bundle, _ := writeBundle(t, dir, strings.NewReplacer(" ", "-", ",", "").Replace(title))
					text := []byte(`{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
"linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}, "process": {"args": ["/creds"], "cwd": "/", "env": ["A=1"], ` + c.process + `}}`)
					if err := os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600); err != nil {
						t.Fatal(err)
					}
					res := oci.Read(declared.File{Name: "config.json", Text: text})
					if len(res.Processes) != 1 {
						t.Fatal(res.Findings)
					}
					got := runtime.Run(t, bundle)
					if (got.Status != 0) != (c.refused != "") {
						t.Fatalf("status %d: %s", got.Status, got.Stderr)
					}
					if c.refused != "" {
						refused := func(f policy.Diagnostic) bool {
							return f.Rule == "refused-by-platform" && strings.Contains(f.Message, c.refused)
						}
						if !slices.ContainsFunc(res.Processes[0].Findings, refused) {
							t.Errorf("%v", res.Processes[0].Findings)
						}
						return
					}
					d, err := res.Processes[0].Document()
					if err != nil {
						t.Fatal(err)
					}
					report := launches.ParseReport(got.Stdout)
					plan := compareImported(t, d, report)
					if want := plan.Profile.Umask; want == nil || report.Lines["umask"] != fmt.Sprintf("%04o", *want) {
						t.Errorf("umask %s", report.Lines["umask"])
					}
					for _, l := range plan.Profile.Rlimits {
						if want := policy.LimitText(l.Soft) + " " + policy.LimitText(l.Hard); report.Lines["limit "+l.Name] != want {
							t.Errorf("limit %s is %s, not %s", l.Name, report.Lines["limit "+l.Name], want)
						}
					}
				})
			}
		})
	}
}
