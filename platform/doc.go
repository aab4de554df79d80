// Package platform reads files of other platforms that declare which privileges a process
// has: systemd units, manifests of Kubernetes, compose files, OCI configurations and
// command lines. It says what the process really gets, as profiles with the origin of each
// key, and what of the file a profile cannot express.
//
//	if kind := platform.Detect(name, text); kind != platform.Profile {
//		in := platform.Input{Kind: kind, File: declared.File{Name: name, Text: text}}
//		documents, findings := in.Documents()
//	}
//
// There is a package for each platform. This one finds the kind of a file, and reviews it.
// The packages do no input or output: files beside a unit are passed to them.
//
// The package serves the command. Its Go API may change in any release.
package platform
