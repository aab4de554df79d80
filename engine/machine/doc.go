// Package machine reads facts about this machine: programs and their files, mounts,
// users, the state of the calling thread and of other processes, and who can write a
// file. Package engine makes plans from these facts.
package machine
