package engine

import (
	"fmt"

	"caprun/policy"
)

// secureStack is the largest soft stack limit, in bytes, that the kernel leaves to a
// program that starts with AT_SECURE: setup_new_exec (fs/exec.c).
const secureStack = 8 << 20

// checkStack refuses a declared stack limit that exec would lower.
func (c *compiler) checkStack() *policy.Diagnostic {
	stack := c.Profile.Rlimit("stack")
	if stack.InheritSoft || !c.SecureExec || stack.Soft <= secureStack {
		return nil
	}
	lower := stack
	lower.Soft = secureStack
	return c.diagnose(ruleTarget, "rlimits.stack",
		fmt.Sprintf("the kernel lowers the soft stack limit to %d, because the target starts with AT_SECURE", secureStack),
		"write "+LimitEntry(lower))
}
