// Package engine turns a profile into a launch that holds exactly what the
// profile declares.
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
// A [Plan] is a flat, ordered list of steps. The same list is printed, folded over
// the model of the kernel in package cred, which predicts the state in which the
// target starts, and executed by cap.Launcher. [Plan.Exec] reads the state back after
// the last step and starts the target only if it is the predicted one.
//
// [Compile] makes the plan for any caller and any program. It is pure and works on
// every system, as does everything that only reasons. [Prepare] makes the plan for
// this process and this machine, whose facts package machine reads.
//
// A profile that contradicts itself, or declares what no route leads to, has no
// plan: the diagnostics name the line, the reason, and the nearest outcome that is
// reachable.
//
// Package compare orders plans and compares a process with one; package review
// finds the risks of a profile.
package engine
