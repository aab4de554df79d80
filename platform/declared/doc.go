// Package declared has what the file of a platform, such as a systemd unit or the manifest
// of a pod, declares for one process: as a profile whose keys name the declarations that
// they come from.
//
// The readers of the platforms make a [Process] for each process. [Process.Document]
// writes it as the text of a profile, and [Document.Locate] translates the position of a
// finding in that text to the position in the file of the platform.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package declared
