// Package engine turns a profile into a plan, and a plan into a launch: a process
// that starts with exactly the privileges that the profile declares.
//
// Three calls launch a program:
//
//	p, diagnostics := policy.Parse("web.yaml", text) // p is nil if there is an error
//	plan, err := engine.Prepare(p, argv, nil)
//	err = plan.Exec() // returns only if the launch failed
//
// Exec replaces the calling process. If it fails, the process may have changed and
// must exit. A caller with privilege must not launch a profile that another user
// could have written: machine.ReadTrusted refuses such a file.
//
// A [Plan] is an ordered list of steps. The same list is printed, run through the
// kernel model of package cred to predict the state in which the target starts, and
// executed by cap.Launcher. After the last step [Plan.Exec] reads the state back, and
// starts the target only if it is the predicted state.
//
// [Compile] makes the plan for any caller and any program. It reads nothing from the
// system and works on every operating system. [Prepare] makes the plan for this
// process and this machine, with facts that package machine reads.
//
// A profile that contradicts itself, or whose capabilities are not reachable, has no
// plan. The diagnostics then name the line, the reason, and the nearest declaration
// that is reachable.
//
// Package compare compares two plans, or a process with a plan. Package review
// reports the risks of a profile.
package engine
