//go:build linux && (amd64 || arm64)

package cred_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/requires"
)

// directed are sequences that are not random. Their ending executes the first
// fixed file of the run.
var directed = map[string]func(run) sequence{
	"exec": func(r run) sequence { return withCalls(r) },

	// The tracer lacks CAP_SYS_PTRACE, the child gives up everything in its new
	// user namespace, and the file has capabilities.
	"traced by the owner": func(r run) sequence {
		return withCalls(r, childTraceMe(), childUnshareUser(), childCapset(0, 0, 0))
	},
	"traced by another user": func(r run) sequence {
		return withCalls(r, childTraceMe(), childSeteuid(1000), childUnshareUser(), childCapset(0, 0, 0))
	},
	"traced inside": func(r run) sequence {
		return withCalls(r, childUnshareUser(), childCapset(0, 0, 0), childTraceMe())
	},
}

func withCalls(r run, calls ...childCall) sequence {
	c := r.Start
	return sequence{
		[]operation{capset(c.Effective.Without(sysPtrace), c.Permitted, c.Inheritable)},
		&ending{calls: calls, path: r.Fixed[0].Path, file: r.Fixed[0].File},
	}
}

// compareDirected compares one sequence, and returns the state after it.
func compareDirected(t *testing.T, worker, dir string, attr *syscall.SysProcAttr, r run) cred.Cred {
	t.Helper()
	r.Count = 1
	r.Owners, r.Outsider = []uint32{0}, cred.NoID
	compare(t, worker, dir, attr, r)
	c, rules, s := r.Start, kernelRules(t), directed[r.Directed](r)
	for _, step := range s.operations {
		c, _ = step.model(c, rules)
	}
	c, _, errno := s.ending.model(c, rules)
	if errno != 0 {
		t.Errorf("exec: %v", errno)
	}
	return c
}

// TestTracedIntoUserNamespace checks that the kernel decides at exec, in the user namespace
// of the task at that time, whether a tracer makes exec unsafe.
func TestTracedIntoUserNamespace(t *testing.T) {
	base, worker, here := directedSetup(t)
	dir := makeHelper(t, base, worker, 0)
	if err := makeFixed(t, base, worker); err != nil {
		t.Fatal(err)
	}
	files := linkFixed(t, base, dir, 0)
	for name, want := range map[string]cred.Caps{
		"traced by the owner":    hostCaps.Permitted,
		"traced by another user": 0,
		"traced inside":          0,
	} {
		t.Run(name, func(t *testing.T) {
			got := compareDirected(t, worker, dir, nil, run{Start: executed(t, here), Fixed: files[:1], Directed: name})
			if got.Permitted != want {
				t.Errorf("permitted %v, want %v", got.Permitted, want)
			}
		})
	}
}

// TestOverflowIDMapped executes a set-id file for each owner that shows as the overflow ID
// in a user namespace that maps this ID.
func TestOverflowIDMapped(t *testing.T) {
	base, worker, here := directedSetup(t)
	dir := makeHelper(t, base, worker, wideRoot)
	ns := wideNamespace()
	attr := inNamespace(ns)
	attr.GidMappingsEnableSetgroups = true
	attr.Credential = &syscall.Credential{}
	const mapped, unmapped = wideRoot + cred.OverflowID, 5000
	for _, owner := range [][2]uint32{{mapped, mapped}, {unmapped, mapped}, {mapped, unmapped}, {unmapped, unmapped}} {
		name := fmt.Sprintf("of-%d-%d", owner[0], owner[1])
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			copyFile(t, worker, path)
			f := cred.File{UID: owner[0], GID: owner[1], Setuid: true, Setgid: true, GroupExec: true}
			if err := setAttributes(path, f); err != nil {
				t.Fatal(err)
			}
			f.UID, f.GID = wideID(f.UID), wideID(f.GID)
			got := compareDirected(t, worker, dir, attr, run{
				Start:    executed(t, here, newUserNamespace(ns), setgroups(), setgid(0), setuid(0)),
				Fixed:    []fixed{{name, f}},
				Directed: "exec",
			})
			want := uint32(0)
			if owner == [2]uint32{mapped, mapped} {
				want = cred.OverflowID
			}
			if got.EUID != want || got.EGID != want {
				t.Errorf("effective uid %d and gid %d, want %d", got.EUID, got.EGID, want)
			}
		})
	}
}

// directedSetup returns a directory, the worker in it, and the credentials of this process.
func directedSetup(t *testing.T) (base, worker string, here cred.Cred) {
	if err := inInitialNamespace(); err != nil {
		requires.Skip(t, err.Error())
	}
	base = suidDirectory(t)
	worker = filepath.Join(base, "worker")
	copyFile(t, testBinary(t), worker)
	o, err := observe()
	if err != nil {
		t.Fatal(err)
	}
	return base, worker, o.Cred
}
