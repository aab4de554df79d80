// Package observe records which capabilities the kernel checks for a process tree, and
// which of its system calls fail because of permissions.
//
//	obs, err := observe.Open(pid, observe.Options{}) // of a process that waits before its exec
//	...                                              // let it execute, test the program, end it
//	rec, err := obs.Close()
//	for _, c := range rec.Checks {
//		fmt.Println(c.Command, c.Cap, c.Denied, c.Call.Name, c.Call.Args)
//	}
//
// # Where the events come from
//
// Each time that the kernel needs to know whether a thread may use a capability, it calls
// the function cap_capable (security/commoncap.c). Since Linux 6.14, this function has a
// tracepoint, capability:cap_capable. On older kernels, Open makes two probes in tracefs
// instead, one for the start of the function and one for its result. Two more tracepoints
// exist everywhere: raw_syscalls:sys_exit, which a filter in the kernel reduces to calls
// that failed with EPERM or EACCES and those that set user or group IDs, and
// sched:sched_process_exec.
//
// The events are read by perf_event_open(2), not by the files of tracefs, because perf
// events belong to a process, and not to the whole machine. Theirs are
//
//   - inherit: the events follow each thread and process that the tree creates;
//   - enable_on_exec: they begin with the next execve(2) of the process, so that what a
//     launcher did before it is not recorded;
//   - one ring of memory for each CPU, shared with the kernel, to which all events of this CPU
//     write. When a ring is full, the kernel drops events and counts them: Recording.Lost.
//
// A sample has the thread, the time, the kernel's call chain, the fields of the tracepoint,
// and the registers that the thread had in user mode. The place of each field is read
// from the tracepoint's file format. The call chain gives the name of the system call, with
// the help of /proc/kallsyms; the registers have its arguments.
//
// # What is read from the process
//
// Paths, socket addresses and groups are in the memory of the process, which is read when
// the event arrives (process_vm_readv(2)), usually less than a millisecond later. By then,
// a short-lived process may have ended: then Args lacks them. The same applies to executed
// files, and to the IDs after a change. What was not read is never guessed; but a process
// that wants to can change its memory before it is read.
//
// # Foreign checks
//
// A process in its own user namespace may have every capability there. A check against
// another user namespace than the recorder's is Foreign. The kernel identifies namespaces
// by addresses, so Open learns the recorder's own one: it calls prctl(PR_CAPBSET_DROP, 63),
// which asks for cap_setpcap before it refuses the unknown capability 63, and records that.
//
// # What is not recorded
//
//   - A process that gains privilege by execve(2), such as a program with file capabilities
//     that another user than root starts: the kernel ends the events of such a process.
//     Its Exec is Unobserved.
//   - A refusal by a security module, as it is not a check of a capability. The failed
//     system call is recorded.
//   - With probes: checks by functions in the kernel's file of cap_capable, into which the
//     compiler copied it. On Debian's 6.1 and 6.12, these are the accounting for memory, and
//     the checks of cap_setpcap by capset(2) and prctl(PR_SET_SECUREBITS).
//   - The arguments of 32-bit programs, and the names of their failed calls.
//
// # What it needs
//
// cap_perfmon or cap_sys_admin in the initial user namespace, and read access to tracefs,
// which only root has by default. If tracefs is not mounted, Open mounts it where no other
// process sees it, with cap_sys_admin. Probes need write access to it. Large rings need
// cap_ipc_lock; smaller ones are used without it. The kernel's symbols need cap_syslog, or 0
// in kernel.kptr_restrict. Reading the memory of other users' processes needs
// cap_sys_ptrace. Available says what is missing.
//
// The package serves the command. Its Go API may change in any release.
package observe
