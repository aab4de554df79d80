package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/internal/ids"

	"golang.org/x/sys/unix"
)

// CurrentCred returns the credentials of the calling thread. It makes system calls, and
// reads the maps of the user namespace from /proc; without /proc it assumes the initial
// user namespace. Chrooted, SharedFS, Traced and TracerUID are not read and are zero. The
// error names the system call that failed.
func CurrentCred() (cred.Cred, error) {
	c, err := CurrentCredWithoutProc()
	if err != nil {
		return c, err
	}
	c.UserNS, _ = readUserNS()
	return c, nil
}

// CurrentCredWithoutProc is [CurrentCred] without reading /proc: UserNS is zero.
func CurrentCredWithoutProc() (cred.Cred, error) {
	var c cred.Cred
	c.All = cred.FirstCaps(int(cap.MaxBits()))
	uids, err := ids.UIDs()
	if err != nil {
		return c, fmt.Errorf("getresuid: %w", err)
	}
	gids, err := ids.GIDs()
	if err != nil {
		return c, fmt.Errorf("getresgid: %w", err)
	}
	c.UID, c.EUID, c.SUID, c.FSUID = uids[0], uids[1], uids[2], uids[3]
	c.GID, c.EGID, c.SGID, c.FSGID = gids[0], gids[1], gids[2], gids[3]
	if c.Groups, err = ids.Groups(); err != nil {
		return c, fmt.Errorf("getgroups: %w", err)
	}
	slices.Sort(c.Groups)
	set, err := cap.GetPID(0)
	if err == nil {
		c.Effective, c.Permitted, c.Inheritable, err = set.Masks()
	}
	if err != nil {
		return c, fmt.Errorf("capget: %w", err)
	}
	// Package cap determines the last capability from an error of the kernel. If it
	// was another error, capabilities would be missing below.
	if _, err := cap.GetBound(cap.MaxBits()); cap.MaxBits() < 64 && !errors.Is(err, unix.EINVAL) {
		got := "success"
		if err != nil {
			got = err.Error()
		}
		return c, fmt.Errorf("prctl PR_CAPBSET_READ: cannot determine the kernel's last capability: got %s for capability %d", got, cap.MaxBits())
	}
	for v := range cap.MaxBits() {
		bound, err := cap.GetBound(v)
		if err != nil {
			return c, fmt.Errorf("prctl PR_CAPBSET_READ %v: %w", v, err)
		}
		if bound {
			c.Bounding = c.Bounding.With(int(v))
		}
		if !c.Permitted.Intersect(c.Inheritable).Has(int(v)) {
			// An ambient capability is in both sets.
			continue
		}
		ambient, err := cap.GetAmbient(v)
		if err != nil {
			return c, fmt.Errorf("prctl PR_CAP_AMBIENT_IS_SET %v: %w", v, err)
		}
		if ambient {
			c.Ambient = c.Ambient.With(int(v))
		}
	}
	bits, err := cap.Prctl(unix.PR_GET_SECUREBITS)
	if err != nil {
		return c, fmt.Errorf("prctl PR_GET_SECUREBITS: %w", err)
	}
	c.Securebits = cred.Securebits(bits)
	nnp, err := cap.Prctl(unix.PR_GET_NO_NEW_PRIVS)
	if err != nil {
		return c, fmt.Errorf("prctl PR_GET_NO_NEW_PRIVS: %w", err)
	}
	c.NoNewPrivs = nnp == 1
	return c, nil
}

// CurrentDeathSignal returns the parent-death signal of the calling thread and the
// process ID of the parent. Call it early: the launch fails if the parent ends after the
// call.
func CurrentDeathSignal() (DeathSignal, error) {
	// The parent first, so that one that ends later is noticed.
	parent := unix.Getppid()
	signal, err := deathSignal()
	if err != nil {
		return DeathSignal{}, fmt.Errorf("parent-death signal: prctl PR_GET_PDEATHSIG: %w", err)
	}
	return DeathSignal{Signal: signal, Parent: parent}, nil
}

// maxMap is the maximum size of a map file of a user namespace, in bytes: it has at most
// 340 lines.
const maxMap = 64 << 10

// readUserNS returns the facts about the user namespace. known is false if /proc cannot
// be read.
func readUserNS() (ns cred.UserNS, known bool) {
	uidMap, err := readFile("/proc/self/uid_map", maxMap)
	if err != nil {
		return ns, false
	}
	if strings.Join(strings.Fields(string(uidMap)), " ") == "0 0 4294967295" {
		// Every ID is mapped to itself: the initial namespace, or one with the same
		// map, in which the same rules apply.
		return ns, true
	}
	gidMap, err := readFile("/proc/self/gid_map", maxMap)
	if err != nil {
		return ns, false
	}
	ns.Nested, ns.UIDs, ns.GIDs = true, extents(uidMap), extents(gidMap)
	setgroups, err := readFile("/proc/self/setgroups", maxMap)
	ns.SetgroupsDenied = err == nil && bytes.HasPrefix(setgroups, []byte("deny"))
	return ns, true
}

func extents(file []byte) []cred.Extent {
	var list []cred.Extent
	for line := range bytes.Lines(file) {
		f := strings.Fields(string(line))
		if len(f) != 3 {
			continue
		}
		var n [3]uint64
		for k := range n {
			n[k], _ = strconv.ParseUint(f[k], 10, 32)
		}
		list = append(list, cred.Extent{Inside: uint32(n[0]), Outside: uint32(n[1]), Count: uint32(n[2])})
	}
	return list
}

// Tracer returns the thread ID of the tracer of the calling thread; 0 if there is none. It
// returns an error if /proc cannot be read.
func Tracer() (int, error) {
	status, err := readFile("/proc/self/status", maxMap)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if pid, ok := bytes.CutPrefix(line, []byte("TracerPid:")); ok {
			return strconv.Atoi(string(bytes.TrimSpace(pid)))
		}
	}
	return 0, errors.New("/proc/self/status: no line TracerPid")
}

// KernelRules returns the rules of the running kernel, for its version from uname(2). If
// the version cannot be read, it returns [cred.Latest].
func KernelRules() cred.Rules {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return cred.Latest()
	}
	major, rest, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), ".")
	minor := strings.FieldsFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	ma, err := strconv.Atoi(major)
	if err != nil || len(minor) == 0 {
		return cred.Latest()
	}
	mi, _ := strconv.Atoi(minor[0])
	return cred.Linux(ma, mi)
}
