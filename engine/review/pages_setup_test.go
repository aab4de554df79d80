package review

import (
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// A pageSetup is what the examples of a page need in addition to their yaml blocks.
type pageSetup struct {
	// mentions are words that Bad must contain, such as a command.
	mentions []string

	// source returns bad.yaml if Markdown cannot contain it.
	source func() string

	// find returns findings that check without options does not report.
	find func(*policy.Profile) []policy.Diagnostic

	// notShown is set for a rule without examples.
	notShown bool
}

// pageSetups returns the rules that check without options does not report for the
// examples.
func pageSetups() map[string]pageSetup {
	return map[string]pageSetup{
		// No profile may cause it, see TestEveryRuleHasAFile in policy.
		"internal-error": {notShown: true},

		// It requires a failing machine.
		"host-unreadable": {notShown: true},

		// Too long for a page.
		"file-too-large": {source: func() string { return "version: 1\n# " + strings.Repeat("x", policy.MaxSize) + "\n" }},
		"too-long":       {source: func() string { return "version: 1\ndescription: " + strings.Repeat("x", 4097) + "\n" }},
		// Markdown is UTF-8.
		"bad-encoding": {source: func() string { return "version: 1\ndescription: caf\xe9\n" }},

		// check assumes that the caller is root with every capability and no locks,
		"missing-capability": startedAs("cap_setuid,cap_setgid,cap_setpcap=ep"),
		"caller-conflict":    startedAs("secbits=no_cap_ambient_raise,no_cap_ambient_raise_locked"),
		"secbits-conflict":   startedAs("secbits=noroot,noroot_locked"),
		// the newest kernel,
		"capability-not-in-kernel": onKernel(engine.Kernel{Major: 5, Minor: 8}),
		// and an ordinary program.
		"identity-lost":   running("/usr/bin/su", cred.File{Setuid: true}),
		"ambient-lost":    running("/opt/web/server", cred.File{HasCaps: true, Permitted: bindService, Effective: true}),
		"target-conflict": running("/opt/web/server", cred.File{HasCaps: true, Permitted: bindService, Effective: true}),

		// check -host reads the machine,
		"user-without-entry": onHost(), "group-without-entry": onHost(),
		"missing-directory": onHost(),
		"missing-target":    onHost(),
		// which does not have these paths. TestWritablePaths in engine/machine creates them.
		"target-writable": writable(machine.WritablePath{Key: "command", Path: "/srv/web/server"}),
		"chroot-writable": writable(machine.WritablePath{Key: "chroot", Path: "/srv/jail"}),
	}
}

// onHost is for caprun check -host.
func onHost() pageSetup {
	return pageSetup{mentions: []string{"check -host"}, find: func(p *policy.Profile) []policy.Diagnostic {
		_, found := CompileForHost(p)
		return found
	}}
}

// writable is for a machine on which uid 33 owns a file of the profile.
func writable(e machine.WritablePath) pageSetup {
	e.Reason, e.Hint = "belongs to uid 33, the target's own user", "chown root "+e.Path
	return pageSetup{mentions: []string{"check -host", "uid 33"}, find: func(p *policy.Profile) []policy.Diagnostic {
		plan, found := compileForRoot(p)
		if plan != nil && (e.Key == "chroot" && p.Chroot == e.Path || e.Key == "command" && p.Command[0] == e.Path) {
			found = append(found, plan.WritablePathDiagnostic(e))
		}
		return found
	}}
}

const bindService = cred.Caps(1) << cap.NET_BIND_SERVICE

// startedAs is for caprun explain -as.
func startedAs(start string) pageSetup {
	return explained("-as '"+start+"'", start, engine.LatestKernel(), engine.OrdinaryTarget())
}

// onKernel is for caprun explain -kernel.
func onKernel(k engine.Kernel) pageSetup {
	return explained("-kernel "+k.String(), "root", k, engine.OrdinaryTarget())
}

// running is for caprun explain -target with a program that has this file.
func running(path string, file cred.File) pageSetup {
	target := engine.OrdinaryTarget()
	target.FilePath, target.File = path, file
	return explained("-target "+path, "root", engine.LatestKernel(), target)
}

func explained(command, start string, kernel engine.Kernel, target engine.Target) pageSetup {
	target.KernelRules = kernel.Rules()
	return pageSetup{mentions: []string{command}, find: func(p *policy.Profile) []policy.Diagnostic {
		from, err := kernel.ParseCaller(start)
		if err != nil {
			return []policy.Diagnostic{{File: p.File, Message: err.Error()}}
		}
		_, found := engine.Compile(p, from, target)
		return found
	}}
}
