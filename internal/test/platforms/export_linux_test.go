//go:build linux

package platforms

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/internal/test/command"
	"caprun/internal/test/launches"
	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/platform/export"
	"caprun/platform/oci"
	"caprun/platform/systemd"
	"caprun/policy"
)

// lines has the line of a report for each field of cred.Cred.
var lines = map[string]string{
	"UID": "uids", "GID": "gids", "Groups": "groups",
	"Inheritable": "inheritable", "Permitted": "permitted", "Effective": "effective", "Bounding": "bounding", "Ambient": "ambient",
	"Securebits": "securebits", "NoNewPrivs": "no_new_privs",
}

// compareState compares what a started program reports with the plan: the fields that differ
// are exactly the losses, and the program has no capability that the plan does not grant.
func compareState(t *testing.T, plan *engine.Plan, r *export.Result, got launches.Report) {
	t.Helper()
	lost := map[string]bool{}
	for _, l := range r.Losses {
		if l.Field != "" {
			lost[lines[l.Field]] = true
		}
	}
	want := launches.Expect(plan.AfterExec, plan.SecureExec)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		differs := got.Lines[name] != want[name]
		switch {
		case differs && !lost[name]:
			t.Errorf("%s is %s, not %s, and no loss says so", name, got.Lines[name], want[name])
		case !differs && lost[name]:
			t.Errorf("%s is %s, as in the plan, and a loss says that it differs", name, got.Lines[name])
		}
	}
	real, err := got.Cred(plan.AfterExec)
	if err != nil {
		t.Errorf("%v: %v", err, got.Lines)
		return
	}
	for name, sets := range map[string][2]cred.Caps{
		"permitted": {real.Permitted, plan.AfterExec.Permitted}, "effective": {real.Effective, plan.AfterExec.Effective},
		"inheritable": {real.Inheritable, plan.AfterExec.Inheritable}, "ambient": {real.Ambient, plan.AfterExec.Ambient},
		"bounding": {real.Bounding, plan.AfterExec.Bounding},
	} {
		if more := sets[0].Minus(sets[1]); more != 0 {
			t.Errorf("%s has %s, which the plan does not grant", name, more)
		}
	}
}

// compareRest compares the umask, the directories, the limits, the arguments and the
// descriptors.
func compareRest(t *testing.T, plan *engine.Plan, r *export.Result, got launches.Report) {
	t.Helper()
	p := plan.Profile
	same := func(name, want string) {
		if got.Lines[name] != want {
			t.Errorf("%s is %s, not %s", name, got.Lines[name], want)
		}
	}
	same("args", fmt.Sprintf("%q", p.Command))
	same("session", "its own")
	same("descriptors", "0 1 2")
	if p.Umask != nil {
		same("umask", fmt.Sprintf("%04o", *p.Umask))
	}
	if p.Cwd != "" {
		same("cwd", p.Cwd)
	}
	for _, l := range p.Rlimits {
		if !hasLoss(r, "rlimits."+l.Name) {
			same("limit "+l.Name, policy.LimitText(l.Soft)+" "+policy.LimitText(l.Hard))
		}
	}
	if hasLoss(r, "keep_fds") != (len(p.KeepFDs) > 0) {
		t.Errorf("keep_fds is %v, and the losses are %v", p.KeepFDs, r.Losses)
	}
}

func hasLoss(r *export.Result, key string) bool {
	return slices.ContainsFunc(r.Losses, func(l export.Loss) bool { return l.Key == key })
}

// compareEnvironment compares the variables: those that the plan sets have their values, and
// the program has none that the plan removes. ofDatabase has the variables that the platform
// takes from the user database.
func compareEnvironment(t *testing.T, plan *engine.Plan, r *export.Result, output string, ofDatabase []string) {
	t.Helper()
	policy, got := plan.EnvPolicy(), launches.ParseReport(output)
	for _, entry := range plan.Environ(nil) {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains(ofDatabase, name) || hasLoss(r, "env.set") && strings.ContainsAny(name, ".-") {
			continue
		}
		if !strings.Contains(output, "\nenv: "+entry+"\n") {
			t.Errorf("the variable %q is missing: %q", entry, got.Env)
		}
	}
	for _, entry := range got.Env {
		name, _, _ := strings.Cut(entry, "=")
		switch policy.Source(name) {
		case engine.VarAbsent:
			if name != "HOME" || !hasLoss(r, "env") {
				t.Errorf("the variable %q is not in the plan, and no loss says so", entry)
			}
		case engine.VarIdentity:
			if !slices.Contains(plan.Environ(nil), entry) && !slices.Contains(ofDatabase, name) {
				t.Errorf("the variable %q is not in the plan", entry)
			}
		}
	}
}

// credsProgram returns the program that prints its state.
func credsProgram(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(command.Program(t, "caprun/internal/test/creds"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// writeProgram writes a program. No child that another test starts has it open for writing.
func writeProgram(t *testing.T, path string, text []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o755))
	syscall.ForkLock.RUnlock()
	if err = errors.Join(err, os.Chmod(path, 0o755), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
		t.Fatal(err)
	}
}

// writeBundle writes a bundle below dir and returns its path and that of its root directory.
func writeBundle(t *testing.T, dir, name string) (bundle, root string) {
	t.Helper()
	bundle = filepath.Join(dir, name)
	root = filepath.Join(bundle, "rootfs")
	writeProgram(t, filepath.Join(root, "creds"), credsProgram(t))
	for _, d := range []string{"proc", "dev", "srv"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bundle, root
}

// TestOCI starts exported configurations in runc and crun.
func TestOCI(t *testing.T) {
	for _, name := range []string{"runc", "crun"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			runtime := NewRuntime(t, name, dir)
			list := texts(t)
			for _, name := range slices.Sorted(maps.Keys(list)) {
				t.Run(name, func(t *testing.T) {
					bundle, root := writeBundle(t, dir, name)
					plan := compile(t, strings.ReplaceAll(list[name], "/srv/chroot", root))
					r, err := export.OCI(plan)
					if uid, gid, groups := plan.KnownIDs(); !uid || !gid || !groups {
						var refused *export.Error
						if !errors.As(err, &refused) || refused.Key != "user" {
							t.Fatal(err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(bundle, "config.json"), r.Text, 0o600); err != nil {
						t.Fatal(err)
					}
					got := runtime.Run(t, bundle)
					if got.Status != 0 {
						t.Fatalf("status %d: %s\n%s", got.Status, got.Stderr, r.Text)
					}
					report := launches.ParseReport(got.Stdout)
					compareState(t, plan, r, report)
					compareRest(t, plan, r, report)
					compareEnvironment(t, plan, r, got.Stdout, nil)
					reimport(t, plan, r, report)
					logLosses(t, r)
				})
			}
		})
	}
}

// reimport reads an exported configuration: its profile has the plan of the state that the
// started program reports.
func reimport(t *testing.T, plan *engine.Plan, r *export.Result, got launches.Report) {
	t.Helper()
	res := oci.Read(declared.File{Name: "config.json", Text: r.Text})
	if len(res.Processes) != 1 || len(res.Processes[0].Findings) != 0 {
		t.Fatalf("%v %+v", res.Findings, res.Processes)
	}
	d, err := res.Processes[0].Document()
	if err != nil {
		t.Fatal(err)
	}
	again := compareImported(t, d, got)
	lost := map[compare.Dimension]bool{compare.Session: true, compare.Chroot: true, compare.Environment: true, compare.Keyring: true}
	for _, l := range r.Losses {
		switch {
		case l.Field == "Securebits":
			lost[compare.Securebits], lost[compare.Regainable] = true, true
		case l.Field != "":
			lost[compare.Dimension(strings.ToLower(l.Field))], lost[compare.Regainable] = true, true
		case l.Key == "keep_fds":
			lost[compare.Descriptors] = true
		case strings.HasPrefix(l.Key, "rlimits."):
			lost[compare.Limits] = true
		}
	}
	for _, d := range compare.Compare(plan, again).Differences {
		if d.Order != compare.Same && !lost[d.Dimension] && (d.Dimension != compare.Groups || len(plan.AfterExec.Groups) > 0) {
			t.Errorf("%s: %s: %s", d.Dimension, d.Order, d.Text())
		}
	}
}

func logLosses(t *testing.T, r *export.Result) {
	for _, l := range r.Losses {
		t.Logf("loss: %s: %s", l.Key, l.What)
	}
}

// TestSystemd starts exported units in a systemd of their own.
func TestSystemd(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	const output = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nStandardOutput=truncate:" + Output + "/"
	program := File{credsProgram(t), 0o755}
	s := System{
		Units: map[string]string{},
		Files: map[string]File{"/creds": program, "/srv/chroot/creds": program},
	}
	plans, results := map[string]*engine.Plan{}, map[string]*export.Result{}
	for name, text := range texts(t) {
		plan := compile(t, text)
		r, err := export.Systemd(plan, name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plans[name], results[name] = plan, r
		s.Units[name+".service"] = string(r.Text)
		s.Units[name+".service.d/test.conf"] = output + name + "\n"
		s.Start = append(s.Start, name+".service")
	}
	// systemd starts nothing as a user or a group without an entry.
	for path, entries := range map[string]string{
		"/etc/passwd": "chrooted:x:65531:65531::/:/bin/sh\nentry:x:65532:65532::/:/bin/sh\n",
		"/etc/group":  "chrooted:x:65531:\nentry:x:65532:\nlarge:x:2147483647:\n",
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s.Files[path] = File{append(text, entries...), 0o644}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := Boot(ctx, s)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	for line := range strings.Lines(run.Log) {
		if strings.Contains(line, "/run/systemd/system/") {
			t.Errorf("systemd does not accept a setting: %s", line)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		t.Run(name, func(t *testing.T) {
			plan, r := plans[name], results[name]
			report := launches.ParseReport(run.Files[name])
			if len(report.Lines) == 0 {
				t.Fatalf("not started:\n%s\n%s", r.Text, run.Log)
			}
			var ofDatabase []string
			if plan.Profile.User != "" {
				ofDatabase = engine.IdentityVariables()
			}
			if uid, gid, groups := plan.KnownIDs(); !uid || !gid || !groups {
				plan = resolved(t, plan)
			}
			compareState(t, plan, r, report)
			compareRest(t, plan, r, report)
			compareEnvironment(t, plan, r, run.Files[name], ofDatabase)
			if root := report.Lines["root"]; plan.Profile.Chroot != "" && root != "creds" {
				t.Errorf("the root directory has %s", root)
			}
			reimportUnit(t, name, r, report)
			logLosses(t, r)
		})
	}
}

// reimportUnit reads an exported unit: its profile has the plan of the state that the started
// program reports.
func reimportUnit(t *testing.T, name string, r *export.Result, got launches.Report) {
	t.Helper()
	res := systemd.Read(declared.File{Name: name + ".service", Text: r.Text}, nil, nil)
	if len(res.Processes) != 1 {
		t.Fatalf("%v", res.Findings)
	}
	for _, f := range res.Processes[0].Findings {
		if f.Severity != policy.Info {
			t.Errorf("%s", f)
		}
	}
	d, err := res.Processes[0].Document()
	if err != nil {
		t.Fatal(err)
	}
	compareImported(t, d, got)
}

// compareImported compares the plan of an imported profile with what the started program
// reports, and returns the plan. A profile with a gid has it in the groups, which an empty
// list of the program lacks: then the reader says so.
func compareImported(t *testing.T, d *declared.Document, got launches.Report) *engine.Plan {
	t.Helper()
	again := compile(t, string(d.Text))
	if uid, gid, groups := again.KnownIDs(); !uid || !gid || !groups {
		again = resolved(t, again)
	}
	real, err := got.Cred(again.AfterExec)
	if err != nil {
		t.Fatal(err)
	}
	differ := again.AfterExec.Diff(real)
	if len(real.Groups) == 0 {
		differ = slices.DeleteFunc(differ, func(field string) bool { return field == "Groups" })
	}
	if len(differ) > 0 {
		t.Errorf("the imported profile differs in %v:\n%s", differ, d.Text)
	}
	return again
}

// resolved returns the plan with the user looked up.
func resolved(t *testing.T, plan *engine.Plan) *engine.Plan {
	t.Helper()
	target, err := engine.FindTarget(plan.Profile, plan.Caller, []string{"/bin/true"})
	if err != nil {
		t.Fatal(err)
	}
	known := engine.OrdinaryTarget()
	known.Accounts = target.Accounts
	p, found := engine.Compile(plan.Profile, plan.Caller, known)
	if p == nil {
		t.Fatal(found)
	}
	return p
}
