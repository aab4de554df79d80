// Package supervise carries out launches: in this process, which becomes the target,
// or with -init in a child that this process supervises. docs/init.md describes -init
// for users.
//
// The supervisor is one goroutine, which does this:
//
//	catch signals, become a subreaper              supervisor_linux.go
//	fork "caprun -init-child FD CMD ARG..."        fork_linux.go
//	close the descriptors of the target            descriptors_linux.go
//	change the effective uid, where needed         effective_uid_linux.go
//	drop every privilege but cap_kill, verify      privilege_linux.go
//	put the target into the foreground             terminal_linux.go
//	send the request to the child                  request.go, fork_linux.go
//	forward signals, reap, stop and continue       signals_linux.go, reap_linux.go
//
// The other files are for a launch without -init (start.go, refuse.go), the child
// (child_linux.go), a caller that supervises the target itself (waiting_linux.go), and
// verify, which recognizes supervisors (advice.go).
//
// The child waits for the request, so no target starts if the supervisor fails before
// it has sent one. The child then does the same as a launch without -init (RunChild,
// Start), except that its parent-death signal is SIGKILL.
//
// # Guarantees
//
//   - While the target runs, every thread of the supervisor has cap_kill at most, empty
//     inheritable and ambient sets, no_new_privs, no descriptor above 2 of the caller,
//     and is not dumpable. The bounding set is empty where the caller had cap_setpcap.
//     All but the descriptors is read back before the request is sent.
//   - A supervisor that fails kills the child, reaps it and returns StatusRefused. If it
//     cannot, it reports which process may still run.
//   - It forwards signals even while nobody reads its messages, its terminal is stopped
//     or orphans end without pause.
//   - It has the parent-death signal of its caller. If the caller set one and has already
//     ended, no target starts.
//
// # Limits
//
// The kernel clears the parent-death signal of a target that is set-user-ID or
// set-group-ID, has file capabilities or gains capabilities by the exec: such a target
// survives when the supervisor is killed. The supervisor does not forward signals 32 to
// 34, SIGURG, SIGPROF and those of CPU exceptions. Descendants of the target are not
// killed with it.
//
// # Threading
//
// Supervise and Start are for the goroutine of main, locked to the first thread: the
// kernel kills the child when the thread that forked it ends, and only that thread has
// the parent-death signal of the caller. Package psx changes the credentials of all
// threads. Other goroutines read the socket to the child and write messages; they share
// only channels with the supervisor.
//
// A user can pass ChildArgument, too. This grants no more than "caprun -profile -": the
// profile comes from a descriptor that the user opened, and caprun passes on only
// privilege that the user has.
package supervise

// ChildArgument is the first argument of a caprun that waits for a request. The second
// one is the descriptor with the request, the others are the arguments of the target.
const ChildArgument = "-init-child"
