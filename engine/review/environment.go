package review

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// loaderVariable reports variables in env.set that load code into a privileged
// target: ambient capabilities and uid 0 do not set AT_SECURE. engine.Compile
// reports those in env.keep.
func loaderVariable(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Env == nil || p.AfterExec.Permitted == 0 || p.SecureExec {
		return
	}
	for name, value := range p.Profile.Env.Set {
		if instead := loaderAlternative(name); value != "" && instead != "" {
			report(p.Profile.Position("env.set."+name),
				name+" loads code into a target with "+namesOrCount(p.AfterExec.Permitted)+", for which the dynamic loader does not use secure-execution mode",
				instead+"; otherwise make sure that only root can write the files that it names")
		}
	}
}

// loaderAlternative returns what to do instead of setting a loader variable that
// names code, and "" for every other variable.
func loaderAlternative(name string) string {
	v, _ := engine.FindLoaderVariable(name)
	return v.Instead
}

// lowRiskCaps are capabilities that give access to a system resource but not to
// data of other users.
const lowRiskCaps = cred.Caps(1<<cap.NET_BIND_SERVICE | 1<<cap.NET_BROADCAST | 1<<cap.IPC_LOCK |
	1<<cap.SYS_NICE | 1<<cap.WAKE_ALARM | 1<<cap.BLOCK_SUSPEND)

// environmentPassed reports privileged targets that inherit variables which select
// code. The severity is Info because the environment of most callers, a container
// or a service manager, is reviewed too.
func environmentPassed(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.AfterExec.Permitted.SubsetOf(lowRiskCaps) || isUnrestrictedRoot(p) {
		return
	}
	if p.Profile.Env != nil && !p.Profile.Env.KeepAll {
		for n, name := range p.Profile.Env.Keep {
			// engine.Compile reports those that a launch removes.
			if selectsCode(name) || loaderAlternative(name) != "" {
				report(p.Profile.Position(fmt.Sprintf("env.keep[%d]", n)), "the caller's "+name+" can make the target run other code with its capabilities",
					"remove it from env.keep, or set its value in env.set")
			}
		}
		return
	}
	at := p.Profile.Position("env.keep")
	if !at.IsKnown() {
		at = p.Profile.KeyPosition("env")
	}
	report(at, "the target is privileged and inherits the caller's entire environment: "+
		"variables such as PATH, BASH_ENV and PYTHONPATH can make it run other code",
		"list the variables that it needs, for example env: {keep: [LANG, TZ], set: {PATH: /usr/bin:/bin}}")
}

// codeVariables are variables that make a program run the code that they name,
// except PATH and those of the dynamic loader. sudo removes most of them.
var codeVariables = [...]string{
	"BASH_ENV", "ENV", "FPATH", "PS4", "ZDOTDIR",
	"PERL5DB", "PERL5LIB", "PERL5OPT", "PERLLIB",
	"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE",
	"RUBYLIB", "RUBYOPT", "NODE_OPTIONS", "NODE_PATH",
	"CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS",
	"LUA_CPATH", "LUA_INIT", "LUA_PATH", "PHPRC", "PHP_INI_SCAN_DIR",
	"GIT_EXEC_PATH", "GIT_SSH", "GIT_SSH_COMMAND",
	"OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES",
}

func selectsCode(variable string) bool { return slices.Contains(codeVariables[:], variable) }
