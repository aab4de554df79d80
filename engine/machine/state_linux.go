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

// CurrentCred returns the credentials of the calling thread, from system calls
// alone but for the maps of a user namespace and the tracer, which the proc
// file system knows; without it, the namespace counts as the initial one.
//
// Whether the root directory was changed cannot be asked: Chrooted is false.
func CurrentCred() (cred.Cred, error) {
	c, err := CurrentCredWithoutProc()
	if err != nil {
		return c, err
	}
	c.UserNS, _ = readUserNS()
	return c, nil
}

// CurrentCredWithoutProc reads what system calls tell.
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
	// The number of capabilities was found by errors. One that meant something
	// else would hide capabilities.
	if _, err := cap.GetBound(cap.MaxBits()); cap.MaxBits() < 64 && !errors.Is(err, unix.EINVAL) {
		return c, fmt.Errorf("prctl PR_CAPBSET_READ: cannot determine the kernel's last capability: %v is the answer for cap %d", err, cap.MaxBits())
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
			// The kernel keeps the ambient set within both.
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

// CurrentDeathSignal returns the parent-death signal of the calling thread, which
// for a launch is the one that becomes the target, and its parent. It is to be
// read before the time-consuming part of a launch: an end of the parent counts from
// then on.
func CurrentDeathSignal() (DeathSignal, error) {
	// First the parent: one that ends after this is noticed.
	parent := unix.Getppid()
	signal, err := deathSignal()
	if err != nil {
		return DeathSignal{}, fmt.Errorf("the parent-death signal: prctl PR_GET_PDEATHSIG: %w", err)
	}
	return DeathSignal{Signal: signal, Parent: parent, Inherited: true}, nil
}

// maxMap bounds the map files of a user namespace: 340 lines.
const maxMap = 64 << 10

// readUserNS returns the facts about the user namespace; known is false
// without the proc file system.
func readUserNS() (ns cred.UserNS, known bool) {
	uidMap, err := readFile("/proc/self/uid_map", maxMap)
	if err != nil {
		return ns, false
	}
	if strings.Join(strings.Fields(string(uidMap)), " ") == "0 0 4294967295" {
		// Everything is mapped to itself: the initial namespace, or one that
		// looks the same and has the same rules.
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

// Tracer returns the pid of the tracer, 0 without one; it cannot be determined
// without the proc file system.
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
	return 0, errors.New("/proc/self/status has no TracerPid")
}

// KernelRules returns the rules of the running kernel, from uname(2).
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
