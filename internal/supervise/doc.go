// Package supervise carries out launches: in this process, which becomes the target,
// or with -init in a child that this process supervises. docs/init.md describes -init
// for users.
//
// The supervisor is one goroutine, which does this:
//
//	catch signals, become a subreaper              supervisor_linux.go
//	fork "caprun -init-child FD CMD ARG..."        fork_linux.go
//	close the descriptors of the target            descriptors_linux.go
//	take the effective uid, where needed           effective_uid_linux.go
//	drop every privilege but cap_kill, verify      privilege_linux.go
//	put the target into the foreground             terminal_linux.go
//	send the request to the child                  request.go, fork_linux.go
//	forward signals, reap, stop and continue       signals_linux.go, reap_linux.go
//
// The other files have what a plain launch does (start.go, refuse.go), the child's
// part (child_linux.go), and how verify recognizes a supervisor (advice.go).
//
// The child waits for the request, so a supervisor that fails before it has sent one
// starts no target. The child then does what a launch without -init does (RunChild,
// Start), with a parent-death signal of its own: SIGKILL.
//
// # Guarantees
//
//   - While the target runs, every thread of the supervisor has cap_kill at most, empty
//     inheritable and ambient sets, no_new_privs, no descriptor above 2 of the caller,
//     and is not dumpable. The bounding set is empty where the caller had cap_setpcap.
//     All but the descriptors is read back before the request is sent.
//   - A supervisor that fails kills the child, reaps it and returns StatusRefused. If it
//     cannot, it reports which process may go on.
//   - No reader of messages, no stopped terminal and no stream of orphans keeps it from
//     forwarding signals.
//   - It has the parent-death signal of its caller. If the caller set one and has ended
//     by now, no target starts.
//
// # Limits
//
// The kernel clears the parent-death signal of a target that is set-user-ID or
// set-group-ID, has file capabilities or gains capabilities by the exec: it survives a
// supervisor that is killed. Signals 32 to 34, SIGURG, SIGPROF and those of CPU
// exceptions are not forwarded. Descendants of the target are not killed with it.
//
// # Threading
//
// Supervise and Start are for the goroutine of main, locked to the first thread: the
// kernel kills the child when the thread that forked it ends, and only that thread has
// the parent-death signal of the caller. Package psx changes the credentials of all
// threads. Other goroutines read the socket to the child and write messages; they share
// nothing with the supervisor but channels.
//
// ChildArgument is public only in the sense that a user can pass it. A user passing it
// gets what "caprun -profile -" gives: the profile comes from a descriptor that the
// user opened, and caprun passes on only privilege that the user has.
package supervise

// ChildArgument is the first argument of a caprun that a supervisor starts. The next
// one is the number of the descriptor with the request, the others are those of the
// target.
const ChildArgument = "-init-child"
