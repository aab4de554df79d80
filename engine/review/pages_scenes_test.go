package review

import (
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// A scene is what a page needs besides its yaml blocks to show its rule.
type scene struct {
	// says are words that stand under Bad, to tell how the finding comes about.
	says []string

	// source writes bad.yaml where Markdown cannot hold it.
	source func() string

	// find finds what check does not, in bad.yaml and in good.yaml.
	find func(*policy.Profile) []policy.Diagnostic

	// unseen tells that nothing can show the rule.
	unseen bool
}

// scenes are the rules whose examples are not shown by check alone.
func scenes() map[string]scene {
	return map[string]scene{
		// No file may bring it about, see TestEveryRuleHasAFile of policy.
		"internal-error": {unseen: true},

		// A machine that breaks.
		"host-unreadable": {unseen: true},

		// Too long for a page.
		"file-too-large": {source: func() string { return "version: 1\n# " + strings.Repeat("x", policy.MaxSize) + "\n" }},
		"too-long":       {source: func() string { return "version: 1\ndescription: " + strings.Repeat("x", 4097) + "\n" }},
		// Markdown is UTF-8.
		"bad-encoding": {source: func() string { return "version: 1\ndescription: caf\xe9\n" }},

		// check takes the caller for root with every capability and no locks,
		"missing-capability": startedAs("cap_setuid,cap_setgid,cap_setpcap=ep"),
		"caller-conflict":    startedAs("secbits=no_cap_ambient_raise,no_cap_ambient_raise_locked"),
		"secbits-conflict":   startedAs("secbits=noroot,noroot_locked"),
		// the kernel for the newest,
		"capability-not-in-kernel": onKernel(engine.Kernel{Major: 5, Minor: 8}),
		// and the program for an ordinary one.
		"identity-lost":   running("/usr/bin/su", cred.File{Setuid: true}),
		"ambient-lost":    running("/opt/web/server", cred.File{HasCaps: true, Permitted: bindService, Effective: true}),
		"target-conflict": running("/opt/web/server", cred.File{HasCaps: true, Permitted: bindService, Effective: true}),

		// check -host looks at the machine,
		"user-without-entry": onHost(),
		"missing-directory":  onHost(),
		"missing-target":     onHost(),
		// where these are not: TestWritablePaths of engine/machine makes them.
		"target-writable": writable(machine.WritablePath{Key: "command", Path: "/srv/web/server"}),
		"chroot-writable": writable(machine.WritablePath{Key: "chroot", Path: "/srv/jail"}),
	}
}

// onHost is the scene of caprun check -host.
func onHost() scene {
	return scene{says: []string{"check -host"}, find: func(p *policy.Profile) []policy.Diagnostic {
		_, found := CompileForHost(p)
		return found
	}}
}

// writable is the scene of a machine on which uid 33 owns a file of the profile.
func writable(e machine.WritablePath) scene {
	e.Reason, e.Hint = "belongs to uid 33, the target's own user", "chown root "+e.Path
	return scene{says: []string{"check -host", "uid 33"}, find: func(p *policy.Profile) []policy.Diagnostic {
		plan, found := explain(p)
		if plan != nil && (e.Key == "chroot" && p.Chroot == e.Path || e.Key == "command" && p.Command[0] == e.Path) {
			found = append(found, plan.WritablePathDiagnostic(e))
		}
		return found
	}}
}

const bindService = cred.Caps(1) << cap.NET_BIND_SERVICE

// startedAs is the scene of caprun explain -as.
func startedAs(start string) scene {
	return explained("-as '"+start+"'", start, engine.LatestKernel(), engine.OrdinaryTarget())
}

// onKernel is the scene of caprun explain -kernel.
func onKernel(k engine.Kernel) scene {
	return explained("-kernel "+k.String(), "root", k, engine.OrdinaryTarget())
}

// running is the scene of caprun explain -target, where the file is like this.
func running(path string, file cred.File) scene {
	target := engine.OrdinaryTarget()
	target.FilePath, target.File = path, file
	return explained("-target "+path, "root", engine.LatestKernel(), target)
}

func explained(says, start string, kernel engine.Kernel, target engine.Target) scene {
	target.KernelRules = kernel.Rules()
	return scene{says: []string{says}, find: func(p *policy.Profile) []policy.Diagnostic {
		from, err := kernel.ParseCaller(start)
		if err != nil {
			return []policy.Diagnostic{{File: p.File, Message: err.Error()}}
		}
		_, found := engine.Compile(p, from, target)
		return found
	}}
}
