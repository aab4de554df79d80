package kernel

import (
	"encoding/binary"

	"caprun/engine/cred"
)

// commit makes n the credentials of the task.
//
// Kernel: commit_creds (kernel/cred.c).
func (k *Kernel) commit(n cred.Cred) {
	o := &k.Cred
	if n.EUID != o.EUID || n.EGID != o.EGID || n.FSUID != o.FSUID || n.FSGID != o.FSGID || !n.Permitted.SubsetOf(o.Permitted) {
		k.DeathSignal = 0
	}
	k.Cred = n
}

// try is commit, unless there is an error.
func (k *Kernel) try(n cred.Cred, errno cred.Errno) int64 {
	if errno != 0 {
		return -int64(errno)
	}
	k.commit(n)
	return 0
}

// capsVersion is _LINUX_CAPABILITY_VERSION_3.
const capsVersion = 0x20080522

// header checks the header of capget and capset: this version, this thread.
func (c *call) header() {
	h := c.read(c.args[0], 8)
	if version, pid := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:]); version != capsVersion || pid != 0 {
		c.fail("header with version %#x and pid %d", version, pid)
	}
}

func (c *call) capget() int64 {
	c.header()
	var b []byte
	for half := 0; half < 64; half += 32 {
		for _, s := range []cred.Caps{c.Cred.Effective, c.Cred.Permitted, c.Cred.Inheritable} {
			b = binary.LittleEndian.AppendUint32(b, uint32(s>>half))
		}
	}
	c.write(c.args[1], b)
	return 0
}

func (c *call) capset() int64 {
	c.header()
	b := c.read(c.args[1], 24)
	var sets [3]cred.Caps
	for n := range 6 {
		sets[n%3] |= cred.Caps(binary.LittleEndian.Uint32(b[4*n:])) << (32 * (n / 3))
	}
	return c.try(c.Cred.Capset(sets[0], sets[1], sets[2]))
}

func yes(holds bool) int64 {
	if holds {
		return 1
	}
	return 0
}

// The operations of prctl(2).
const (
	prSetDeathSignal = 1
	prGetDeathSignal = 2
	prGetKeepCaps    = 7
	prSetKeepCaps    = 8
	prCapbsetRead    = 23
	prCapbsetDrop    = 24
	prGetSecurebits  = 27
	prSetSecurebits  = 28
	prSetNoNewPrivs  = 38
	prGetNoNewPrivs  = 39
	prCapAmbient     = 47
)

func (c *call) prctl() int64 {
	v := c.args[1]
	if operation := c.args[0]; operation != prGetSecurebits && operation != prGetKeepCaps {
		c.need(2)
	}
	switch c.args[0] {
	case prSetDeathSignal:
		if v > 64 {
			return -EINVAL
		}
		c.DeathSignal = int(v)
		return 0
	case prGetDeathSignal:
		c.write(v, binary.LittleEndian.AppendUint32(nil, uint32(c.DeathSignal)))
		return 0
	case prGetKeepCaps:
		return yes(c.Cred.Securebits.Has(cred.SecKeepCaps))
	case prSetKeepCaps:
		if v > 1 {
			return -EINVAL
		}
		return c.try(c.Cred.SetKeepCaps(v == 1))
	case prCapbsetRead:
		if v > 63 || !c.Cred.All.Has(int(v)) {
			return -EINVAL
		}
		return yes(c.Cred.Bounding.Has(int(v)))
	case prCapbsetDrop:
		return c.try(c.Cred.DropBounding(int(min(v, 64))))
	case prGetSecurebits:
		return int64(c.Cred.Securebits)
	case prSetSecurebits:
		return c.try(c.Cred.SetSecurebits(cred.Securebits(v), c.Rules))
	case prSetNoNewPrivs:
		c.need(5)
		if v != 1 || c.args[2]|c.args[3]|c.args[4] != 0 {
			return -EINVAL
		}
		c.commit(c.Cred.SetNoNewPrivs())
		return 0
	case prGetNoNewPrivs:
		c.need(5)
		if v|c.args[2]|c.args[3]|c.args[4] != 0 {
			return -EINVAL
		}
		return yes(c.Cred.NoNewPrivs)
	case prCapAmbient:
		c.need(5)
		return c.ambient(v, c.args[2])
	}
	c.fail("prctl operation %d", c.args[0])
	return 0
}

// ambient is PR_CAP_AMBIENT.
//
// Kernel: cap_task_prctl (security/commoncap.c).
func (c *call) ambient(operation, n uint64) int64 {
	const isSet, raise, lower, clearAll = 1, 2, 3, 4
	if operation == clearAll {
		if n|c.args[3]|c.args[4] != 0 {
			return -EINVAL
		}
		c.commit(c.Cred.ClearAmbient())
		return 0
	}
	if n > 63 || !c.Cred.All.Has(int(n)) || c.args[3]|c.args[4] != 0 {
		return -EINVAL
	}
	switch operation {
	case isSet:
		return yes(c.Cred.Ambient.Has(int(n)))
	case raise:
		return c.try(c.Cred.RaiseAmbient(int(n)))
	case lower:
		return c.try(c.Cred.LowerAmbient(int(n)))
	}
	c.fail("PR_CAP_AMBIENT operation %d", operation)
	return 0
}

// shown returns an ID as the kernel shows it to the task.
func shown(id uint32) uint32 {
	if id == cred.NoID {
		return cred.OverflowID
	}
	return id
}

func (c *call) writeIDs(ids ...uint32) int64 {
	for n, id := range ids {
		c.write(c.args[n], binary.LittleEndian.AppendUint32(nil, shown(id)))
	}
	return 0
}

func (c *call) getresuid() int64 { return c.writeIDs(c.Cred.UID, c.Cred.EUID, c.Cred.SUID) }
func (c *call) getresgid() int64 { return c.writeIDs(c.Cred.GID, c.Cred.EGID, c.Cred.SGID) }
func (c *call) setresuid() int64 { return c.try(c.Cred.Setresuid(c.id(0), c.id(1), c.id(2))) }
func (c *call) setresgid() int64 { return c.try(c.Cred.Setresgid(c.id(0), c.id(1), c.id(2))) }

func (c *call) setfsuid() int64 {
	old := c.Cred.FSUID
	c.commit(c.Cred.Setfsuid(c.id(0)))
	return int64(shown(old))
}

func (c *call) setfsgid() int64 {
	old := c.Cred.FSGID
	c.commit(c.Cred.Setfsgid(c.id(0)))
	return int64(shown(old))
}

func (c *call) getgroups() int64 {
	size, n := c.fd(0), len(c.Cred.Groups)
	switch {
	case size < 0, size != 0 && size < n:
		return -EINVAL
	case size != 0:
		var b []byte
		for _, g := range c.Cred.Groups {
			b = binary.LittleEndian.AppendUint32(b, shown(g))
		}
		c.write(c.args[1], b)
	}
	return int64(n)
}

func (c *call) setgroups() int64 {
	size := c.fd(0)
	if size < 0 || size > cred.MaxGroups {
		// Without the capability, EPERM comes first.
		_, errno := c.Cred.Setgroups(make([]uint32, cred.MaxGroups+1))
		return -int64(errno)
	}
	list := make([]uint32, size)
	if size > 0 {
		b := c.read(c.args[1], 4*size)
		for n := range list {
			list[n] = binary.LittleEndian.Uint32(b[4*n:])
		}
	}
	return c.try(c.Cred.Setgroups(list))
}
