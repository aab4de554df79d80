package review

import (
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
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

		// Too long for a page.
		"file-too-large": {source: func() string { return "version: 1\n# " + strings.Repeat("x", policy.MaxSize) + "\n" }},
		"too-long":       {source: func() string { return "version: 1\ndescription: " + strings.Repeat("x", 4097) + "\n" }},
		// Markdown is UTF-8.
		"bad-encoding": {source: func() string { return "version: 1\ndescription: caf\xe9\n" }},

		// check takes the caller for root with every capability and no locks.
		"missing-capability": explained("cap_setuid,cap_setgid,cap_setpcap=ep", engine.LatestKernel(), cred.File{}),
		"caller-conflict":    explained("secbits=no_cap_ambient_raise,no_cap_ambient_raise_locked", engine.LatestKernel(), cred.File{}),
		"secbits-conflict":   explained("secbits=noroot,noroot_locked", engine.LatestKernel(), cred.File{}),
		// And the kernel for the newest.
		"capability-not-in-kernel": explained("root", engine.Kernel{Major: 5, Minor: 8}, cred.File{}, "-kernel 5.8"),
		// And the target for an ordinary program.
		"identity-lost": explained("root", engine.LatestKernel(), cred.File{Setuid: true}, "-target /usr/bin/su"),
		"ambient-lost":  explained("root", engine.LatestKernel(), cred.File{HasCaps: true, Permitted: netRaw, Effective: true}, "-target /usr/bin/ping"),
		"target-conflict": explained("root", engine.LatestKernel(), cred.File{HasCaps: true, Permitted: netRaw, Effective: true},
			"-target /usr/bin/ping"),
	}
}

const netRaw = cred.Caps(1) << cap.NET_RAW

// explained is the scene of caprun explain for a start, a kernel and a target
// with this file. The page has the words, of which the last one may be the
// path of the target.
func explained(start string, kernel engine.Kernel, file cred.File, says ...string) scene {
	target := engine.OrdinaryTarget()
	target.Kernel, target.File = kernel.Rules(), file
	if start != "root" {
		says = append(says, "-as '"+start+"'")
	} else if words := strings.Fields(says[0]); words[0] == "-target" {
		target.FilePath = words[1]
	}
	return scene{says: says, find: func(p *policy.Profile) []policy.Diagnostic {
		from, err := kernel.ParseStart(start)
		if err != nil {
			return []policy.Diagnostic{{File: p.File, Message: err.Error()}}
		}
		_, found := engine.Compile(p, from, target)
		return found
	}}
}
