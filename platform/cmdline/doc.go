// Package cmdline reads a command line that starts a program with other privileges:
// setpriv(1), capsh(1), docker run and podman run.
//
// The file is one command of a shell, with continuation lines and comments. Nothing is
// expanded: a word with a variable has no known value.
//
// setpriv and capsh are modelled as sequences of system calls, in the order in which the
// programs make them, on the credentials of root. So a step that fails is found, and the
// result is what the kernel would give.
//
//   - setpriv: sys-utils/setpriv.c of util-linux 2.38 to 2.41.
//   - capsh: progs/capsh.c of libcap 2.66.
//   - docker run: cli/command/container/opts.go of docker/cli.
//   - podman run: cmd/podman/common/create.go of podman 5.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package cmdline
