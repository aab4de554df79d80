package engine

import (
	"fmt"
	"slices"

	"caprun/policy"
)

// secureStack is the soft limit of the stack, in bytes, to which the kernel
// lowers that of a program which starts with AT_SECURE: setup_new_exec of
// fs/exec.c.
const secureStack = 8 << 20

// checkStack refuses a declared limit that the start of the target would
// lower.
func (c *compiler) checkStack() *policy.Diagnostic {
	n := slices.IndexFunc(c.Profile.Rlimits, func(r policy.Rlimit) bool { return r.Name == "stack" })
	if n < 0 || !c.SecureExec || c.Profile.Rlimits[n].Soft <= secureStack {
		return nil
	}
	return c.diagnose(ruleTarget, "rlimits.stack",
		fmt.Sprintf("the soft limit would be %d: the target starts with AT_SECURE, and the kernel lowers the limit of the stack then", secureStack),
		fmt.Sprintf("declare a soft limit of at most %d", secureStack))
}
