// Package faults makes one system call of another program fail, or lie, or
// never return, and lets the others pass: each exactly once, and by its place
// in the order of calls.
//
// It does so without a tracer, which would change what exec gives. The program
// internal/test/faults/notify puts itself under a filter whose calls wait for the
// word of this package, and becomes the program to watch: seccomp_unotify(2).
// That needs cap_sys_admin.
package faults
