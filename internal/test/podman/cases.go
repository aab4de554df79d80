//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/launches"
	"caprun/policy"
	"caprun/profiles"
)

// trial is one way to start a container.
type trial struct {
	name string
	try  func(engineOf) error
}

// web is the profile of the image with caprun, and that of the sealed launcher.
const web = "/etc/caprun/web.yaml"

// The recommended settings, for podman run and as explain -as reads them.
var recipe = []string{"--cap-drop=all", "--cap-add=setuid,setgid,setpcap,net_bind_service"}

const recipeCaps = "cap_setuid,cap_setgid,cap_setpcap,cap_net_bind_service"

// cases are the ways to start a container.
func cases() []trial {
	list := []trial{
		{"the recipe", launch(web, recipeCaps+"=ep", recipe...)},
		{"the recipe, read-only, with no_new_privs", launch(web, recipeCaps+"=ep no_new_privs",
			with("--read-only", "--security-opt=no-new-privileges")...)},
		{"the recipe, and an init of Podman", launch(web, recipeCaps+"=ep", with("--init")...)},
		{"the recipe, in a user namespace", launch(web, recipeCaps+"=ep", with("--uidmap=0:100000:65536")...)},
		{"builtin:entrypoint", launch("builtin:entrypoint", recipeCaps+"=ep", recipe...)},
		{"the default capabilities", launch(web, "")},
		{"the default capabilities of another user", launch(web, "", "--user=65532")},
		// The added capabilities of another user are ambient.
		{"another user with the recipe", launch(web, "uid=65532 gid=65532 groups=65532 "+
			recipeCaps+"=eip ambient="+recipeCaps+" bounding="+recipeCaps, with("--user=65532:65532")...)},
		{"another user without a capability", launch(web, "uid=65532 gid=65532 groups=65532 bounding=none",
			"--user=65532:65532", "--cap-drop=all")},
		{"nothing as another user", launch("builtin:unprivileged", "uid=65532 gid=65532 groups=65532 bounding=none",
			"--user=65532:65532", "--cap-drop=all")},
		{"the manifest", playManifest},
		{"end by SIGTERM, -init", stop(143, full, with("--entrypoint=/caprun"),
			"-init", "-profile", web, "--", "/server", "-listen", ":80")},
		{"end by SIGTERM, an init of Podman with KILL", stop(143, sealed, with("--cap-add=kill", "--init"))},
		{"end by SIGTERM, without an init", stop(2, sealed, recipe)},
		{"end by SIGTERM, caprun without an init", stop(2, full, recipe)},
		{"end by SIGTERM, a script", stop(2, users, with("--cap-add=chown"))},
		{"a script", launchScript(with("--cap-add=chown"))},
		{"a script, read-only, with no_new_privs", launchScript(with("--cap-add=chown", "--read-only",
			"--tmpfs=/var/lib", "--security-opt=no-new-privileges"))},
	}
	caps := strings.Split(recipeCaps, ",")
	for n, left := range caps {
		fewer := strings.Join(append(append([]string{}, caps[:n]...), caps[n+1:]...), ",")
		list = append(list, trial{"without " + left, launch(web, fewer+"=ep", "--cap-drop=all", "--cap-add="+fewer)})
	}
	return list
}

// with returns the flags of the recommended settings and more.
func with(more ...string) []string { return append(append([]string{}, recipe...), more...) }

// launch starts a container with flags twice: with the reporter as its entrypoint,
// and with the reporter as the target of caprun. caller is the expected report of the
// first, as explain -as reads it; if it is empty, the report becomes the caller. For the
// profile web, it also starts the image with the sealed launcher.
func launch(profile, start string, flags ...string) func(engineOf) error {
	return func(e engineOf) error {
		from, err := callerOf(e, full, start, flags)
		if err != nil {
			return err
		}
		text, err := profileText(profile)
		if err != nil {
			return err
		}
		plan, found, err := compile(profile, string(text), from)
		if err != nil {
			return err
		}
		got, err := e.run(runTimeout, runArgs(flags, full, "/caprun", "-profile", profile, "--", "/creds")...)
		if err != nil {
			return err
		}
		if plan == nil {
			err = refused(got, *found)
		} else {
			err = differences(plan, got)
		}
		if err != nil || profile != web {
			return err
		}
		got, err = e.run(runTimeout, runArgs(flags, sealed, "/web", "/creds")...)
		if err != nil {
			return err
		}
		if plan == nil {
			err = refusedBySealed(got)
		} else {
			err = differences(plan, got)
		}
		if err != nil {
			err = fmt.Errorf("the sealed launcher: %w", err)
		}
		return err
	}
}

// launchScript starts the image whose entrypoint is a script, with the reporter as the
// command. The predicted IDs are those that the user has in the image.
func launchScript(flags []string) func(engineOf) error {
	return func(e engineOf) error {
		from, err := callerOf(e, users, "", flags)
		if err != nil {
			return err
		}
		text, err := profileText("users.yaml")
		if err != nil {
			return err
		}
		plan, found, err := compile("users.yaml", strings.Replace(string(text), "user: www-data", "uid: 33\ngid: 33", 1), from)
		if err != nil {
			return err
		}
		if plan == nil {
			return fmt.Errorf("%v", *found)
		}
		// The script searches the program in PATH, and so does the launcher.
		all := append(append([]string{"run", "--rm", "--network=none", "--env=PATH=/:/usr/local/bin:/usr/bin:/bin"}, flags...), users.reported, "creds")
		got, err := e.run(runTimeout, all...)
		if err == nil {
			err = differences(plan, got)
		}
		return err
	}
}

// callerOf starts a container with the reporter as its entrypoint, and returns the
// credentials that it reports. If start is not empty, they must be those.
func callerOf(e engineOf, b built, start string, flags []string) (cred.Cred, error) {
	from := cred.Root()
	direct, err := e.run(runTimeout, runArgs(flags, b, "/creds")...)
	if err != nil {
		return from, err
	}
	if direct.status != 0 {
		return from, fmt.Errorf("the reporter exited with status %d: %s", direct.status, direct.stderr)
	}
	began := launches.ParseReport(direct.stdout)
	if start == "" {
		from, err = began.Cred(from)
	} else {
		from, err = engine.ParseCaller(start)
	}
	if err != nil {
		return from, err
	}
	if faults := began.Compare(launches.Expect(from, false)); len(faults) > 0 {
		return from, fmt.Errorf("the caller is not the expected one: %v", faults)
	}
	return from, nil
}

// compile returns the plan for a caller, or the first mistake.
func compile(name, text string, from cred.Cred) (*engine.Plan, *policy.Diagnostic, error) {
	p, found := policy.Parse(name, []byte(text))
	if p == nil {
		return nil, nil, fmt.Errorf("%v", found)
	}
	plan, found := engine.Compile(p, from, engine.OrdinaryTarget())
	if plan == nil {
		return nil, &found[0], nil
	}
	return plan, nil, nil
}

// runArgs returns the arguments that run a command line in a container.
func runArgs(flags []string, b built, program string, args ...string) []string {
	all := append([]string{"run", "--rm", "--network=none"}, flags...)
	all = append(all, "--entrypoint="+program, b.reported)
	return append(all, args...)
}

// profileText returns the text of a profile in the image.
func profileText(name string) ([]byte, error) {
	if builtin, ok := strings.CutPrefix(name, "builtin:"); ok {
		return profiles.Read(builtin)
	}
	return os.ReadFile(example + filepath.Base(name))
}

// differences compares the report of a target with the prediction.
func differences(plan *engine.Plan, got end) error {
	if got.status != 0 || got.stderr != "" {
		return fmt.Errorf("status %d: %s", got.status, got.stderr)
	}
	if faults := launches.ParseReport(got.stdout).Compare(launches.Expect(plan.AfterExec, plan.SecureExec)); len(faults) > 0 {
		return fmt.Errorf("the target differs from the prediction: %v", faults)
	}
	return nil
}

// refused compares a refusal with the message of explain.
func refused(got end, d policy.Diagnostic) error {
	if want := fmt.Sprintf("caprun: %s:%s: %s; %s\n", d.File, d.Position, d.Message, d.Hint); got.status != 125 || got.stderr != want {
		return fmt.Errorf("status %d: %swant: %s", got.status, got.stderr, want)
	}
	return nil
}

// refusedBySealed checks the message of a sealed launcher, which names the step.
func refusedBySealed(got end) error {
	if got.status != 125 || got.stdout != "" || !strings.HasPrefix(got.stderr, "web: ") || strings.Count(got.stderr, "\n") != 1 {
		return fmt.Errorf("status %d: %s", got.status, got.stderr)
	}
	return nil
}

// stop starts the server, stops the container and compares its status.
func stop(status int, b built, flags []string, args ...string) func(engineOf) error {
	return func(e engineOf) (err error) {
		all := append(append([]string{"run", "--detach", "--network=none"}, flags...), b.image)
		id, err := e.must(runTimeout, append(all, args...)...)
		if err != nil {
			return err
		}
		defer func() {
			_, removed := e.must(runTimeout, "rm", "--force", "--time=0", id)
			err = errors.Join(err, removed)
		}()
		if _, err := logOf(e, id, "listens on"); err != nil {
			return err
		}
		if _, err := e.must(runTimeout, "stop", "--time=20", id); err != nil {
			return err
		}
		got, err := e.must(runTimeout, "inspect", "--format={{.State.ExitCode}}", id)
		if err == nil && got != fmt.Sprint(status) {
			err = fmt.Errorf("status %s, want %d", got, status)
		}
		return err
	}
}

// logOf waits until the log of a container contains a text.
func logOf(e engineOf, id, text string) (string, error) {
	var got end
	for deadline := time.Now().Add(runTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		var err error
		if got, err = e.run(runTimeout, "logs", id); err != nil {
			return "", err
		}
		if strings.Contains(got.stdout+got.stderr, text) {
			return got.stdout, nil
		}
	}
	return "", fmt.Errorf("the log lacks %q: %s%s", text, got.stdout, got.stderr)
}

// playManifest starts the manifest with the reporter instead of the server.
func playManifest(e engineOf) (err error) {
	text, err := os.ReadFile(example + "kubernetes.yaml")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "caprun-podman-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	changed := strings.Replace(string(text), "image: "+sealed.image+":latest", `args: ["/creds"]`+"\n          image: "+sealed.reported+":latest", 1)
	changed = strings.Replace(changed, "    spec:\n", "    spec:\n      restartPolicy: Never\n", 1)
	// Podman publishes the port on the machine, which requires a network.
	changed = strings.Replace(changed, "          ports:\n            - {name: http, containerPort: 80}\n", "", 1)
	if _, err := file.WriteString(changed); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if _, err := e.must(runTimeout, "kube", "play", "--network=none", file.Name()); err != nil {
		return err
	}
	defer func() {
		_, removed := e.must(runTimeout, "pod", "rm", "--all", "--force", "--time=0")
		err = errors.Join(err, removed)
	}()
	got, err := e.run(runTimeout, "ps", "--all", "--format={{.Image}} {{.ID}}")
	if err != nil {
		return err
	}
	_, id, ok := strings.Cut(got.stdout, sealed.reported+":latest ")
	if !ok {
		return fmt.Errorf("no container of the image: %s%s", got.stdout, got.stderr)
	}
	id, _, _ = strings.Cut(id, "\n")
	report, err := logOf(e, id, "pid: ")
	if err != nil {
		return err
	}
	from, err := engine.ParseCaller(recipeCaps + "=ep no_new_privs")
	if err != nil {
		return err
	}
	own, err := profileText(web)
	if err != nil {
		return err
	}
	plan, found, err := compile(web, string(own), from)
	if err != nil {
		return err
	}
	if plan == nil {
		return fmt.Errorf("%v", *found)
	}
	return differences(plan, end{stdout: report})
}
