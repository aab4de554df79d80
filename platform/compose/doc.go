// Package compose reads Compose files: what the process of each service is allowed to do.
//
// Variables such as ${CAPS} are not replaced: their values are in the environment of the
// user who starts the services. Files that the file names are not read.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package compose
