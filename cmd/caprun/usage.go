package main

const usage = `Usage: caprun [-init] -profile P [--] [CMD ARG...]
       caprun -dry-run [-init] -profile P [--] [CMD ARG...]
       caprun check [-format human|oneline|json|sarif|github]
                    [-fail-on error|warning|info|never] [-ceiling P] [-host]
                    [-stdin-name NAME] PATH...
       caprun rules [-format human|json] [NAME]
       caprun explain [-as START] [-target FILE] [-kernel VERSION] [-init]
                      [-format human|json] P
       caprun diff [-as START] [-kernel VERSION] [-fail-on change|widen|never]
                   [-format human|markdown|json] OLD NEW
       caprun verify -pid N [-as START] [-exact] [-v] [-format human|json] P
       caprun show [-pid N] [-format human|json]
       caprun schema | profiles [NAME] | completion bash|zsh|fish
       caprun version | help

caprun starts a program with exactly the privileges that a YAML profile
declares, or does not start it at all.

Starting a program:
  -profile P   the profile: a file (a path with a slash, or ending in .yaml or
               .yml), a NAME for /etc/caprun/NAME.yaml, builtin:NAME for one
               that comes with caprun, or - for standard input (the program
               then reads /dev/null)
  -init        stay as the parent of the program, also as pid 1: forward
               signals, reap orphans, pass the status on (128+n for a signal).
               The program is killed when caprun dies
  -dry-run     do everything but the start of the program, and print it
  --           ends the flags; so does the first argument that is no flag
  The program takes caprun's place, with the same pid. CMD is found as the
  program will see the file system: inside the profile's root directory, and
  a name without a slash in PATH. Without CMD, the profile's command runs.

Reviewing profiles:
  check        find mistakes and risks in files and directories
    -format sarif   for code scanning; json for programs, oneline for editors
                    and logs, github for annotations of GitHub Actions
    -ceiling P      and what grants more than the profile P
    -host           and what this machine lacks for them, or lets the program's
                    user change
    -stdin-name N   what findings call the standard input, the file -
  rules        list what check finds, or print the page of one rule
  explain      print the steps of a launch, the state that they lead to, and
               what can come later
  diff         print what a change of a profile widens and narrows
    -as START       who starts it: root, current, or words such as
                    "uid=1000 gid=1000 cap_net_raw=eip" (root)
    -target FILE    explain: what it starts, looked at on this machine (an
                    ordinary program)
    -init           explain: with the step that -init adds
    -kernel 6.12    whose rules hold (the newest; those that run for current)
    -fail-on widen  diff: only what is wider or not comparable makes it fail
  schema       print the JSON Schema of the profile format, for editors
  profiles     list the profiles that come with caprun, or print one
  completion   print a script that completes command lines in a shell

Looking at processes:
  verify       compare every thread of a running process with a profile: ids,
               groups, vectors, no_new_privs, root directory, user namespace.
               It matches while it holds no more than the profile leads to; a
               match says nothing about a moment later
    -as START       who started it (root)
    -exact          what it has given up is no match, nor are securebits that
                    the profile sets: they cannot be read
    -v              print what is the same, too
  show         print the credentials of a process, or the caller's own

Exit status of a launch: the program's own; 125 when caprun refused or failed,
126 when the program cannot be executed, 127 when there is no such program.
Of check and explain: 0 clean, 1 findings, 2 usage or an unreadable file. Of
diff: 0 the same, 1 different, 2 trouble. Of verify: 0 a match, 1 none, 2 it
cannot be told. Of show and rules: 0, or 2.

Example:
  $ caprun -profile web.yaml -- ./server -port 80
`
