package review

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// loaderVariable finds variables of env.set that load code into a privileged
// target: ambient capabilities, and uid 0 without a set-user-ID file, do not set
// AT_SECURE. What env.keep names is a matter of engine.Compile.
func loaderVariable(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Env == nil || p.AfterExec.Permitted == 0 || p.SecureExec {
		return
	}
	for name, value := range p.Profile.Env.Set {
		if instead := otherLoading(name); value != "" && instead != "" {
			report(p.Profile.Position("env.set."+name),
				"what "+name+" names is loaded into a target with "+fewNames(p.AfterExec.Permitted)+": the loader does not see that it is privileged, and trusts any file",
				instead+"; else let only root write what it names")
		}
	}
}

// otherLoading says what to do instead of a loader variable that names code, and
// "" for every other variable.
func otherLoading(name string) string {
	v, _ := engine.FindLoaderVariable(name)
	return v.Instead
}

// harmless are the capabilities that give power over a resource of the system
// and over nobody's data: who runs code with them gains little.
const harmless = cred.Caps(1<<cap.NET_BIND_SERVICE | 1<<cap.NET_BROADCAST | 1<<cap.IPC_LOCK |
	1<<cap.SYS_NICE | 1<<cap.WAKE_ALARM | 1<<cap.BLOCK_SUSPEND)

// environmentPassed finds privileged targets whose code somebody else may
// choose: who sets the caller's variables. It is no more than worth knowing,
// for most callers are a container or a service manager, whose environment is
// as much reviewed as the profile.
func environmentPassed(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.AfterExec.Permitted.SubsetOf(harmless) || isAllPowerful(p) {
		return
	}
	if p.Profile.Env != nil && !p.Profile.Env.KeepAll {
		for n, name := range p.Profile.Env.Keep {
			// What a launch removes is an error; the others reach the target.
			if choosesCode(name) || otherLoading(name) != "" {
				report(p.Profile.Position(fmt.Sprintf("env.keep[%d]", n)), "the caller's "+name+" chooses code that runs with the target's capabilities",
					"take it out of keep; what the target needs, give it by set")
			}
		}
		return
	}
	at := p.Profile.Position("env.keep")
	if !at.IsKnown() {
		at = p.Profile.KeyPosition("env")
	}
	report(at, "the caller's whole environment reaches a privileged program: "+
		"PATH, BASH_ENV, PYTHONPATH, NODE_OPTIONS and the like choose code that runs with its capabilities",
		"list what it needs, such as env: {keep: [LANG, TZ], set: {PATH: /usr/bin:/bin}}")
}

// codeVariables are variables, other than PATH and those of the dynamic loader,
// that make a program run code which they name. Most of them are those that
// sudo removes.
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

func choosesCode(variable string) bool { return slices.Contains(codeVariables[:], variable) }
