// Package oci reads the config.json of an OCI bundle, which runc and crun start, see
// https://github.com/opencontainers/runtime-spec/blob/main/config.md.
//
// The two runtimes differ for a file that is not as the specification demands. runc accepts
// keys in another case, and crun ignores them; crun accepts names of capabilities in lower
// case, and runc ignores them; both ignore an unknown capability. The reader refuses the
// first, and reports the others.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package oci
