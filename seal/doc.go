// Package seal turns a profile into a sealed launcher: a static executable of a few
// kilobytes that does what caprun does for this one profile.
//
//	p, diagnostics := policy.Parse("web.yaml", text)
//	file, err := seal.Seal(p, seal.Options{Arch: seal.AMD64})
//
// The command line of a launcher is that of a program: LAUNCHER [--] CMD ARG..., or
// LAUNCHER alone for the command of the profile. It makes the steps of the plan, compares
// the state with the declared one, and executes the program in its place.
//
// A launcher is for container images. It has no runtime, no libraries and no parser: its
// code is the list of the system calls that the steps need. It reads no profile: what it
// does is decided by the file alone, so no other user may be able to write it.
//
// The file has the text of its profile in a note. [Read] returns it, so every review of a
// profile can be one of a launcher. [Sealed.Verify] seals that text again and compares
// all bytes: the same profile gives the same file on every system. [Check] does so for a
// profile that the reviewer has.
//
// A launcher reads no user database. The names in a profile become numbers when it is
// sealed, and only with [Options].Root, the root directory of the image.
//
// The package works on every system.
//
// The package serves the command. Its Go API may change in any release.
package seal
