package main

// launchFlags is what both builds say about the flags of a launch.
const launchFlags = `  -profile P   the profile: a file (a path with a slash, or ending in .yaml or
               .yml), a NAME for /etc/caprun/NAME.yaml, builtin:NAME for one
               that comes with caprun, or - for standard input (the program
               then reads /dev/null)
  -init        stay as the parent of the program, also as pid 1: forward
               signals, reap orphans, pass the status on (128+n for a signal).
               The program is killed when caprun dies
  -dry-run     do everything but the start of the program, and print it
  --           ends the flags; so does the first argument that is no flag
`
