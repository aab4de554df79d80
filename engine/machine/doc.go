// Package machine reads facts of this machine: programs and what the kernel asks
// about their files, mounts, users, the state of the caller and of other
// processes, and who else could have written a file. It knows profiles, and
// nothing of plans.
package machine
