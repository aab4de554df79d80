package engine

import "caprun/engine/cred"

// CapNames returns the names of caps, joined with commas: "none" for none,
// "all" for the named ones together, "all but" where that is shorter.
func CapNames(caps cred.Caps) string { return caps.String() }
