package kernel

import (
	"encoding/binary"
	"fmt"

	"caprun/seal/internal/interp"
)

// self checks that a pid argument means the calling process.
func (c *call) self(n int) {
	if pid := c.fd(n); pid != 0 && pid != c.PID {
		c.fail("process %d", pid)
	}
}

func (c *call) getpgid() int64 { c.self(0); return int64(c.PGID) }
func (c *call) getsid() int64  { c.self(0); return int64(c.SID) }

// setsid: no other process of the model is in the group of the task.
func (c *call) setsid() int64 {
	if c.PGID == c.PID {
		return -EPERM
	}
	c.SID, c.PGID, c.Terminal = c.PID, c.PID, false
	return int64(c.PID)
}

const (
	sigHUP  = 1
	sigPIPE = 13
	sigALRM = 14

	sigDefault, sigIgnore = 0, 1
)

// signal ends the program, or runs the handler, if a signal is neither ignored nor blocked.
func (c *call) signal(n int) {
	switch h := c.Handlers[n]; {
	case h == sigIgnore || c.SignalMask>>(n-1)&1 != 0:
	case h == sigDefault:
		panic(stop{interp.ErrKilled})
	default:
		panic(stop{interp.Handler(h)})
	}
}

// ioctl is TIOCNOTTY, and TIOCGSID for the session that a terminal controls.
//
// Kernel: tty_jobctrl_ioctl, disassociate_ctty (drivers/tty/tty_jobctrl.c).
func (c *call) ioctl() int64 {
	const removeTTY, session = 0x5422, 0x5429
	f, ok := c.Files[c.fd(0)]
	switch operation := c.args[1]; {
	case operation == session && ok && !f.Path && f.Node.Terminal && c.Terminal:
		c.need(3)
		c.write(c.args[2], binary.LittleEndian.AppendUint32(nil, uint32(c.SID)))
		return 0
	case operation != removeTTY && operation != session:
		c.fail("ioctl %#x", c.args[1])
	case !ok || f.Path:
		return -EBADF
	case operation == session || !f.Node.Terminal || !c.Terminal:
		return -ENOTTY
	}
	leader := c.SID == c.PID
	c.Terminal = false
	if leader {
		// To the foreground process group, which may be that of the task.
		c.signal(sigHUP)
	}
	return 0
}

// status returns the content of /proc/self/stat. The name of the process can have any
// characters.
func (k *Kernel) status() []byte {
	terminal := 0
	if k.Terminal {
		terminal = 0x8801
	}
	return fmt.Appendf(nil, "%d (a) 0 (b 7) R %d %d %d %d -1 4194304 90 0 0 0 0 0 0 0 20 0 1 0 5000\n", k.PID, k.PPID, k.PGID, k.SID, terminal)
}

func (c *call) umask() int64 {
	old := c.Umask
	c.Umask = c.id(0) & 0o777
	return int64(old)
}

const (
	limitStack  = 3
	limitNofile = 7

	sysResource = 24
	sysAdmin    = 21
)

// prlimit is for the task itself.
//
// Kernel: do_prlimit (kernel/sys.c).
func (c *call) prlimit() int64 {
	c.self(0)
	n, set, get := c.id(1), c.args[2], c.args[3]
	if int(n) >= len(c.Limits) {
		return -EINVAL
	}
	old := c.Limits[n]
	if set != 0 {
		b := c.read(set, 16)
		now := Limit{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
		switch {
		case now.Soft > now.Hard:
			return -EINVAL
		case n == limitNofile && now.Hard > c.NrOpen:
			return -EPERM
		case now.Hard > old.Hard && (!c.Cred.Effective.Has(sysResource) || c.Cred.UserNS.Nested):
			return -EPERM
		}
		c.Limits[n] = now
	}
	if get != 0 {
		c.write(get, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, old.Soft), old.Hard))
	}
	return 0
}

// sigaction: struct sigaction of the kernel has the handler, flags, restorer and mask.
func (c *call) sigaction() int64 {
	n, set, get := c.fd(0), c.args[1], c.args[2]
	if c.args[3] != 8 {
		return -EINVAL
	}
	if n < 1 || n > 64 || set != 0 && (n == 9 || n == 19) {
		return -EINVAL
	}
	old := c.Handlers[n]
	if set != 0 {
		c.Handlers[n] = binary.LittleEndian.Uint64(c.read(set, 32))
	}
	if get != 0 {
		c.write(get, append(binary.LittleEndian.AppendUint64(nil, old), make([]byte, 24)...))
	}
	return 0
}

func (c *call) sigprocmask() int64 {
	set, get := c.args[1], c.args[2]
	if c.args[3] != 8 {
		return -EINVAL
	}
	old := c.SignalMask
	if set != 0 {
		v := binary.LittleEndian.Uint64(c.read(set, 8))
		switch c.id(0) {
		case 0:
			c.SignalMask |= v
		case 1:
			c.SignalMask &^= v
		case 2:
			c.SignalMask = v
		default:
			return -EINVAL
		}
		c.SignalMask &^= 1<<8 | 1<<18
	}
	if get != 0 {
		c.write(get, binary.LittleEndian.AppendUint64(nil, old))
	}
	return 0
}

func (c *call) setitimer() int64 {
	if c.args[0] != 0 {
		c.fail("timer %d", c.args[0])
	}
	old := c.Timer
	if c.args[1] != 0 {
		b := c.read(c.args[1], 32)
		for n := range c.Timer {
			c.Timer[n] = binary.LittleEndian.Uint64(b[8*n:])
		}
	}
	if c.args[2] != 0 {
		var b []byte
		for _, v := range old {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		c.write(c.args[2], b)
	}
	return 0
}

// wait is a call that waits for a reader that never comes.
func (c *call) wait() {
	if c.Timer[2]|c.Timer[3] == 0 {
		c.fail("the program waits for a reader")
	}
	c.signal(sigALRM)
	c.fail("the program waits for a reader, with signal %d ignored or blocked", sigALRM)
}

// writeFile is write(2) to descriptor 2.
func (c *call) writeFile() int64 {
	fd := c.fd(0)
	if fd != 2 {
		c.fail("write to descriptor %d", fd)
	}
	b := c.read(c.args[1], int(min(c.args[2], 1<<20)))
	if _, open := c.Files[fd]; !open {
		return -EBADF
	}
	switch c.Stderr {
	case Full:
		c.wait()
	case Broken:
		c.signal(sigPIPE)
		return -EPIPE
	}
	c.Messages = append(c.Messages, b...)
	return int64(len(b))
}

// mmap is for memory without a file.
func (c *call) mmap() int64 {
	const readWrite, privateAnonymous = 3, 0x22
	c.zero(0, 5)
	if c.args[2] != readWrite || c.args[3] != privateAnonymous || c.fd(4) != -1 {
		c.fail("mmap with protection %#x, flags %#x, descriptor %d", c.args[2], c.args[3], c.fd(4))
	}
	switch size := c.args[1]; {
	case size == 0:
		return -EINVAL
	case size > 1<<30:
		return -ENOMEM
	default:
		return int64(c.mem.Map(int(size)))
	}
}
