package export

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
)

const directProfile = `name: web
command: [/server, "$HOME"]
uid: 33
gid: 33
groups: [33, 4]
caps: "="
no_new_privs: true
cwd: /a$b
umask: "0027"
rlimits: {as: 5, core: 0, nofile: {soft: 1024, hard: unlimited}, nproc: {soft: 9}}
env: {keep: [LANG], set: {MODE: "a\"b $X", "EMPTY": ""}, unset: [TERM]}
`

// TestDirectText: a profile without capabilities needs no launcher.
func TestDirectText(t *testing.T) {
	pod := `# The profile grants no capability, so the container starts the program without
# a launcher.
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  securityContext:
    supplementalGroups: [4]
  containers:
    - name: web
      image: web:latest
      command: ["/server", "$$HOME"]
      workingDir: "/a$b"
      env:
        - {name: "EMPTY", value: ""}
        - {name: "MODE", value: "a\"b $$X"}
      securityContext:
        runAsUser: 33
        runAsGroup: 33
        runAsNonRoot: true
        allowPrivilegeEscalation: false # sets no_new_privs
        capabilities:
          drop: [ALL]
`
	file := `# The profile grants no capability, so the container starts the program without
# a launcher.
services:
  web:
    image: web
    entrypoint: ["/server", "$$HOME"]
    working_dir: "/a$$b"
    environment:
      "EMPTY": ""
      "MODE": "a\"b $$X"
    user: "33:33"
    group_add: ["4"]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    ulimits: {core: {soft: 0, hard: 0}, nofile: {soft: 1024, hard: -1}}
`
	plan := compile(t, directProfile)
	for _, test := range []struct {
		export func(*engine.Plan, string) (*Result, error)
		want   string
		losses string
	}{
		{Kubernetes, pod, "env.keep env.unset rlimits.as rlimits.core rlimits.nofile rlimits.nproc umask"},
		{Compose, file, "env.keep env.unset rlimits.as rlimits.nproc umask"},
	} {
		r, err := test.export(plan, "x")
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Text) != test.want {
			t.Errorf("%s", r.Text)
		}
		if got := lossKeys(r); got != test.losses {
			t.Errorf("losses %s, want %s", got, test.losses)
		}
	}
}

func lossKeys(r *Result) string {
	var keys []string
	for _, l := range r.Losses {
		keys = append(keys, l.Key)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// TestDirectRead: the readers find the state of the plan in a container without a launcher.
func TestDirectRead(t *testing.T) {
	for _, text := range []string{
		directProfile,
		"uid: 33\ngid: 33\ncaps: \"=\"\n",
		"uid: 33\ngid: 33\n",
		"uid: 33\ngid: 0\ngroups: []\nno_new_privs: true\n",
		"uid: 33\ngid: 33\ngroups: [0, 4, 2147483647]\ncaps: \"=\"\niab: \"!cap_chown\"\n",
		"uid: 33\ngid: 33\nkeep_fds: [3]\nkeyring: inherit\nnew_session: true\n",
	} {
		plan := compile(t, text)
		pod, err := Kubernetes(plan, "x")
		if err != nil {
			t.Fatal(err)
		}
		file, err := Compose(plan, "x")
		if err != nil {
			t.Fatal(err)
		}
		compareDirect(t, plan, readPod(t, pod.Text))
		compareDirect(t, plan, readCompose(t, file.Text))
		for _, r := range []*Result{pod, file} {
			lost := slices.ContainsFunc(r.Losses, func(l Loss) bool { return l.Field == "Bounding" })
			noted := slices.Contains(r.Notes, "the bounding set is empty: the container drops every capability")
			if (lost || noted) != (plan.AfterExec.Bounding != 0) {
				t.Errorf("%s: %v, %v", text, r.Losses, r.Notes)
			}
		}
	}
}

// compareDirect compares what a reader found in a container with the plan.
func compareDirect(t *testing.T, plan, got *engine.Plan) {
	t.Helper()
	want := plan.AfterExec
	want.Bounding = 0
	if !got.AfterExec.Equal(want) {
		t.Errorf("%v differ\n%s", got.AfterExec.Diff(want), plan.Profile.Text())
	}
	if p := plan.Profile; !slices.Equal(got.Profile.Command, p.Command) || p.Cwd != "" && got.Profile.Cwd != p.Cwd ||
		p.Env != nil && fmt.Sprint(got.Profile.Env.Set) != fmt.Sprint(p.Env.Set) {
		t.Errorf("%q in %s with %q\n%s", got.Profile.Command, got.Profile.Cwd, got.Profile.Env.Set, p.Text())
	}
}

// TestNotDirect: a container cannot start these programs without a launcher.
func TestNotDirect(t *testing.T) {
	for _, text := range []string{
		"uid: 33\ngid: 33\ncaps: cap_kill=eip\n",
		"uid: 33\ngid: 33\ncaps: cap_kill=i\n",
		"uid: 33\ngid: 33\ncaps: \"=\"\nsecbits: [noroot, noroot_locked]\n",
		"uid: 33\ngid: 33\ncaps: \"=\"\nchroot: /srv\n",
		"uid: 0\ngid: 0\ncaps: \"=\"\n",
		"uid: 2147483648\ngid: 33\ncaps: \"=\"\n",
		"uid: 33\ngid: 33\ngroups: [2147483648]\ncaps: \"=\"\n",
		"uid: 33\ngid: staff\ncaps: \"=\"\n",
		"user: www\ncaps: \"=\"\n",
		"caps: \"=\"\n",
	} {
		if d, err := newDirect(compile(t, text), "x", "Docker"); d != nil || err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
