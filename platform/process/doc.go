// Package process makes a profile of a running process: of its state in /proc, not of its
// environment, its arguments and its open files.
//
// The state of a process is not always one that a launch leads to. A daemon that started as
// root and dropped privileges itself has sets that exec would not leave; what a launch with
// the profile grants instead is a loss.
//
// The package serves the command. Its Go API may change in any release.
package process
