// Package run starts a program, tests whether it works, and stops everything that it has
// started. Only Linux is supported; on other systems every function returns an error.
//
// # Processes
//
//	guard          caprun learn, as the user has started it
//	  worker       the same program again, in a session of its own; it runs Tree.Run
//	    program    and everything that it starts
//	    command    one for a test or a reset command, which runs below it
//
// The guard and the worker are subreapers, prctl(2): a process whose parent has ended
// becomes the child of the nearest one. So each process that the worker has started,
// directly or not, is found below it, whatever it does: fork twice, start a session,
// change its user. The processes below a command are not part of the program.
//
//   - If the worker ends, for whatever reason, the guard ends every process that is left.
//   - If the guard ends, the worker notices the end of a pipe, ends every process below
//     it, and exits.
//   - A command ends every process below it when its shell ends, when it gets a signal,
//     and when the worker ends.
//
// A process can outlive both only if the guard and the worker are killed at once, or if
// another process that is not below them starts it, such as a service manager, or the
// init of another PID namespace adopts it.
//
// # Signals
//
// The worker has its own session, so a terminal sends its signals to the guard alone, which
// forwards the first one to the worker. On a second one it kills everything. The program
// has no controlling terminal.
//
// Signals are sent through a pidfd, which is opened before the process is examined: they
// cannot reach another process that has got the same process ID.
//
// The package serves the command. Its Go API may change in any release.
package run

// WorkerArgument is the first argument of the worker. The second one is a descriptor, see
// WatchGuard; the others are those of the guard.
const WorkerArgument = "-learn-worker"

// CommandArgument is the first argument of a process that runs a command, which is the
// second one, see RunCommand.
const CommandArgument = "-learn-command"
