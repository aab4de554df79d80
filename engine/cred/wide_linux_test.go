//go:build linux && (amd64 || arm64)

package cred_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/requires"
)

// wideRoot is what uid 0 and gid 0 of [wideNamespace] are outside.
const wideRoot = 100000

// wideNamespace returns a user namespace like that of rootless containers. It maps 65536 IDs
// and so the overflow ID, which also stands for every unmapped ID.
func wideNamespace() cred.UserNS {
	ids := []cred.Extent{{Inside: 0, Outside: wideRoot, Count: 65536}}
	return cred.UserNS{UIDs: ids, GIDs: ids}
}

// makeWideFixed creates count files in dir: with owners that the wide namespace maps or not,
// with set-id bits, and with capabilities for various namespaces.
func makeWideFixed(t *testing.T, dir, binary string, seed uint64, count int) (files []fixed) {
	r := rand.New(rand.NewPCG(seed, uint64(count)))
	for n := range count {
		owners := [...]uint32{0, 5000, wideRoot, wideRoot + 1000, wideRoot + cred.OverflowID}
		outside := cred.File{
			UID: owners[r.IntN(len(owners))], GID: owners[r.IntN(len(owners))],
			Setuid: r.IntN(4) > 0, Setgid: r.IntN(2) == 0, GroupExec: true,
		}
		inside := outside
		inside.UID, inside.GID = wideID(outside.UID), wideID(outside.GID)

		path := filepath.Join(dir, fmt.Sprintf("fixed-%d", n))
		copyFile(t, binary, path)
		if err := setAttributes(path, outside); err != nil {
			t.Fatal(err)
		}
		if r.IntN(5) < 3 {
			caps := hostCaps
			caps.Effective = r.IntN(2) == 0
			caps.Permitted = cred.Caps(r.Uint64() & r.Uint64()).Intersect(cred.FirstCaps(41))
			caps.Inheritable = cred.Caps(r.Uint64()).Intersect(cred.FirstCaps(41))
			// Root here, root of the wide namespace, another user there, the
			// overflow ID outside, and a user whom the namespace does not map.
			roots := [...]uint32{0, wideRoot, wideRoot, wideRoot + cred.OverflowID, cred.OverflowID, 5000}
			root := &roots[r.IntN(len(roots))]
			if *root == 0 && r.IntN(2) == 0 {
				root = nil // version 2
			}
			if err := setFileCaps(path, caps, root); err != nil {
				t.Fatal(err)
			}
			if root == nil || *root == 0 || *root == wideRoot {
				inside.HasCaps, inside.Effective, inside.Permitted, inside.Inheritable = true, caps.Effective, caps.Permitted, caps.Inheritable
			}
		}
		files = append(files, fixed{filepath.Base(path), inside})
	}
	return files
}

// wideID returns the ID in the wide namespace of an ID of the initial namespace.
func wideID(outside uint32) uint32 {
	if outside < wideRoot || outside >= wideRoot+65536 {
		return cred.NoID
	}
	return outside - wideRoot
}

// testWide compares in the wide namespace, as its root user or as an unmapped user.
func testWide(t *testing.T, base, worker string, here cred.Cred, unmapped bool, r run) {
	dir := makeHelper(t, base, worker, wideRoot)
	ns := wideNamespace()
	attr := inNamespace(ns)
	attr.GidMappingsEnableSetgroups = true
	steps := []operation{newUserNamespace(ns)}
	if unmapped {
		// Two unmapped groups differ for the kernel, and for nobody inside.
		for _, g := range here.Groups {
			if g != here.GID {
				requires.Skip(t, "a caller without supplementary groups of other ids")
			}
		}
		all := here.All
		steps = append(steps, capset(all, all, all))
		for n := 0; all.Has(n); n++ {
			attr.AmbientCaps = append(attr.AmbientCaps, uintptr(n))
			steps = append(steps, raiseAmbient(n))
		}
	} else {
		attr.Credential = &syscall.Credential{}
		steps = append(steps, setgroups(), setgid(0), setuid(0))
	}
	r.Start = executed(t, here, steps...)
	r.Owners = append([]uint32{cred.OverflowID}, r.Owners...)
	r.Outsider, r.FileCaps = 1003, true
	r.Fixed = makeWideFixed(t, dir, worker, r.Seed, 12)
	compare(t, worker, dir, attr, r)
}
