// Package engine turns a profile into a launch that holds exactly what the
// profile declares.
//
// [Compile] makes a [Plan]: a flat, ordered list of steps. The same list is
// printed, folded over the model of the kernel in package cred, which
// predicts the state in which the target starts, and executed by
// cap.Launcher. [Plan.Exec] reads the state back after the last step and
// starts the target only when it is the predicted one.
//
// A profile that contradicts itself, or declares what no route leads to, has
// no plan: Compile says which line, why, and the nearest that can be had.
//
// [Explain] makes the plan that reviews look at, [Compare] says what one plan
// allows next to another, and [CompileForHost] makes the one of this machine.
// Compile and everything that only reasons is pure and works on every system.
// Package machine reads the facts that a plan needs; [Prepare], [TargetHere],
// CompileForHost and Exec use it.
package engine
