package containers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/policy"
)

// TestRuntime: a runtime that gets the five sets which an engine writes into its
// configuration starts a process with the state that Declare predicts. The sets are
// written down here from the sources of the engines, independently of Declare.
func TestRuntime(t *testing.T) {
	requires.Root(t)
	runc := requires.Tool(t, "runc")
	b := newBundle(t, runc)
	docker, podman := "chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill audit_write", "chown dac_override fowner fsetid kill net_bind_service setfcap setgid setpcap setuid sys_chroot"
	for _, test := range []struct {
		engine     Engine
		user       string
		add, drop  string
		privileged bool
		nnp        bool

		// P is the permitted and the effective set, I the inheritable and the ambient
		// one; all is every capability.
		bounding, p, i string
		fails          bool
	}{
		{Docker, "0", "", "", false, false, docker, docker, "", false},
		{Docker, "1000:1000", "", "", false, false, docker, "", "", false},
		{Docker, "1000:1000", "NET_ADMIN", "", false, false, docker + " net_admin", "", "", false},
		{Docker, "0:0", "CHOWN", "ALL", false, true, "chown", "chown", "", false},
		{Docker, "1000:1000", "", "", true, false, "all", "", "", false},
		{Podman, "0", "", "", false, false, podman, podman, "", false},
		{Podman, "1000:1000", "NET_RAW", "", false, false, podman + " net_raw", "net_raw", "net_raw", false},
		{Podman, "1000:1000", "NET_RAW,KILL", "ALL", false, true, "net_raw kill", "net_raw kill", "net_raw kill", false},
		{Podman, "1000:1000", "NET_RAW", "", true, false, "all", "net_raw", "net_raw", false},
		{Podman, "1000:1000", "ALL", "MKNOD", false, false, "all but mknod", "all", "all", true},
		{Containerd, "1000:1000", "NET_ADMIN", "", false, false, docker + " net_admin", docker + " net_admin", "", false},
		{Containerd, "0", "CAP_NET_ADMIN", "ALL", false, false, "cap_net_admin", "cap_net_admin", "", false},
		{Containerd, "0", "ALL", "SYS_ADMIN", false, false, "all but sys_admin", "all but sys_admin", "", false},
		{CRIO, "1000:1000", "", "", true, false, "all", "all", "all", false},
		{CRIO, "0", "NET_RAW", "KILL,CHOWN", false, false, "dac_override fsetid fowner setgid setuid setpcap net_bind_service net_raw", "dac_override fsetid fowner setgid setuid setpcap net_bind_service net_raw", "", false},
	} {
		name := fmt.Sprintf("%s user %s add %s drop %s privileged %v", test.engine, test.user, test.add, test.drop, test.privileged)
		d := Draft{Process: &declared.Process{Name: "x"}}
		d.Profile.NoNewPrivs = test.nnp
		user := test.engine.SetUser(&d, test.user, declared.Source{})
		r := Request{Add: words(strings.ReplaceAll(test.add, ",", " ")), Drop: words(strings.ReplaceAll(test.drop, ",", " ")), User: user}
		if test.privileged {
			r.Privileged = &declared.Source{}
		}
		test.engine.Declare(&d, r)
		document, err := d.Document()
		if err != nil {
			t.Fatal(err)
		}
		profile, found := policy.Parse("p", document.Text)
		if profile == nil {
			t.Fatal(found)
		}
		plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatal(found)
		}
		want := plan.AfterExec
		out, err := b.run(t, want.UID, test.nnp, b.names(test.bounding), b.names(test.p), b.names(test.i))
		if test.fails {
			last := d.Findings[len(d.Findings)-1]
			if err == nil || last.Rule != "ambient-outside-bounding" {
				t.Errorf("%s: starts, or %v", name, d.Findings)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
			continue
		}
		got := map[string]string{}
		for line := range strings.Lines(out) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			got[key] = value
		}
		hex := func(c cred.Caps) string { return strconv.FormatUint(uint64(c)&b.has, 16) }
		for key, want := range map[string]string{
			"bounding": hex(want.Bounding), "permitted": hex(want.Permitted), "effective": hex(want.Effective),
			"inheritable": hex(want.Inheritable), "ambient": hex(want.Ambient), "no_new_privs": map[bool]string{true: "1", false: "0"}[want.NoNewPrivs],
			"uids": strings.TrimSpace(strings.Repeat(fmt.Sprint(want.UID)+" ", 4)), "gids": strings.TrimSpace(strings.Repeat(fmt.Sprint(want.GID)+" ", 4)),
		} {
			if got[key] != want {
				t.Errorf("%s: %s is %s, want %s", name, key, got[key], want)
			}
		}
	}
}

// bundle is a directory with the root directory of containers.
type bundle struct {
	runc, dir string
	has       uint64 // the capabilities of this machine's root
	count     int
}

func newBundle(t *testing.T, runc string) *bundle {
	t.Helper()
	b := &bundle{runc: runc, dir: t.TempDir()}
	root := filepath.Join(b.dir, "rootfs")
	for _, dir := range []string{root, filepath.Join(root, "proc")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", filepath.Join(root, "creds"), "caprun/internal/test/creds")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(root, "creds")).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(out), "permitted: ")
	hex, _, _ := strings.Cut(after, "\n")
	if b.has, err = strconv.ParseUint(hex, 16, 64); err != nil {
		t.Fatal(err)
	}
	return b
}

// names returns the names of capabilities as an engine writes them, without those that
// this machine's root does not have.
func (b *bundle) names(list string) []string {
	names := []string{}
	without, all := strings.CutPrefix(list, "all")
	if !all {
		for _, name := range strings.Fields(list) {
			names = append(names, "CAP_"+strings.ToUpper(name))
		}
		return names
	}
	for n := range cap.NamedCount {
		name := cap.Value(n).String()
		if b.has>>n&1 == 1 && !strings.HasSuffix(without, " "+strings.TrimPrefix(name, "cap_")) {
			names = append(names, strings.ToUpper(name))
		}
	}
	return names
}

// run starts a container, and returns what the program prints.
func (b *bundle) run(t *testing.T, uid uint32, nnp bool, bounding, p, i []string) (string, error) {
	t.Helper()
	gid := uid
	config := map[string]any{
		"ociVersion": "1.0.2",
		"process": map[string]any{
			"user": map[string]any{"uid": uid, "gid": gid}, "args": []string{"/creds"}, "cwd": "/", "env": []string{"PATH=/"}, "noNewPrivileges": nnp,
			"capabilities": map[string]any{"bounding": bounding, "permitted": p, "effective": p, "inheritable": i, "ambient": i},
		},
		"root":   map[string]any{"path": "rootfs"},
		"mounts": []any{map[string]any{"destination": "/proc", "type": "proc", "source": "proc"}},
		"linux":  map[string]any{"namespaces": []any{map[string]any{"type": "pid"}, map[string]any{"type": "mount"}}},
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	b.count++
	id := fmt.Sprintf("caprun-test-%d-%d", os.Getpid(), b.count)
	state := filepath.Join(b.dir, "state")
	out, err := exec.Command(b.runc, "--root", state, "run", "--bundle", b.dir, id).CombinedOutput()
	// A container that failed to start can leave its state.
	_ = exec.Command(b.runc, "--root", state, "delete", "--force", id).Run()
	return string(out), err
}
