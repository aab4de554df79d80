// Package faults makes one system call of another program fail, return a wrong value,
// or never return, while all other calls work: each call in turn, identified by its
// place in the order of calls.
//
// It uses no tracer, because a tracer changes the result of exec. The program
// internal/test/faults/notify installs a filter whose calls wait for this package,
// and executes the program to watch: seccomp_unotify(2). That requires cap_sys_admin.
package faults
