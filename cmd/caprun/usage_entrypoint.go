//go:build entrypoint

package main

const usage = `Usage: caprun [-init] -profile P [--] [CMD ARG...]
       caprun -dry-run [-init] -profile P [--] [CMD ARG...]
       caprun version | help

caprun starts a program with exactly the privileges that a YAML profile
declares, or does not start it at all. This is the entrypoint build, for
container images: it only starts programs. The full build reviews profiles.

` + launchFlags + `
The program takes caprun's place, with the same pid. CMD is found as the
program will see the file system: inside the profile's root directory, and
a name without a slash in PATH. Without CMD, the profile's command runs.

Exit status: the program's own; 125 when caprun refused or failed, 126 when
the program cannot be executed, 127 when there is no such program.

Example:
  ENTRYPOINT ["/caprun", "-profile", "/etc/caprun/web.yaml", "--"]
`
