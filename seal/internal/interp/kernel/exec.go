package kernel

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"caprun/engine/cred"
	"caprun/seal/internal/interp"
)

// execve starts a target, if the kernel would.
//
// Kernel: fs/exec.c.
func (c *call) execve() int64 {
	path := c.text(c.args[0])
	args, env := c.strings(c.args[1]), c.strings(c.args[2])
	if len(args) == 0 {
		c.fail("exec without arguments")
	}
	if c.tooLong(args, env) {
		return -E2BIG
	}
	file, args, errno := c.program(path, args)
	if errno != 0 {
		return -errno
	}
	facts, ok := c.facts(file)
	if !ok {
		return -EINVAL
	}
	after, result, refused := c.Cred.Exec(facts, c.Rules)
	if refused != 0 {
		return -int64(refused)
	}
	target := &Target{Task: c.Task, File: file, Args: args, Env: env, Secure: result.Secure}
	next := &Kernel{World: c.World, Task: c.Task}
	next.commit(after)
	target.Task = next.Task
	if result.Secure {
		const secureStack = 8 << 20
		target.DeathSignal = 0
		target.Limits[limitStack].Soft = min(target.Limits[limitStack].Soft, secureStack)
	}
	for n, h := range target.Handlers {
		if h > sigIgnore {
			target.Handlers[n] = sigDefault
		}
	}
	target.Files = maps.Clone(c.Files)
	maps.DeleteFunc(target.Files, func(_ int, f File) bool { return f.CloseOnExec })
	c.Started = target
	panic(stop{interp.ErrExec})
}

func (c *call) strings(addr uint64) []string {
	list, err := c.mem.Strings(addr)
	if err != nil {
		c.badAddress(err)
	}
	return list
}

// tooLong reports whether arguments and environment exceed the limits.
//
// Kernel: bprm_stack_limits, MAX_ARG_STRLEN (fs/exec.c).
func (k *Kernel) tooLong(args, env []string) bool {
	const longest, least, most = 32 * 4096, 32 * 4096, 6 << 20
	total := uint64(0)
	for _, s := range slices.Concat(args, env) {
		if len(s) >= longest {
			return true
		}
		total += uint64(len(s)) + 1 + 8
	}
	return total > max(least, min(most, k.Limits[limitStack].Soft/4))
}

// program returns the file that the kernel executes in the end, and the arguments that it
// gets.
//
// Kernel: do_open_execat, exec_binprm (fs/exec.c).
func (k *Kernel) program(path string, args []string) (*Node, []string, int64) {
	const maxDepth = 5
	for depth := 0; ; depth++ {
		n, errno := k.walk(k.Cwd, path, true)
		switch {
		case errno != 0:
			return nil, nil, errno
		case !k.may(n, mayExec), n.Mode&modeType != Regular, n.Mount.NoExec:
			return nil, nil, EACCES
		case n.Busy:
			return nil, nil, ETXTBSY
		case depth > maxDepth:
			return nil, nil, ELOOP
		case bytes.HasPrefix(n.Content, []byte("\x7fELF")):
			return n, args, 0
		}
		interpreter, argument, ok := readScript(n.Content)
		if !ok {
			return nil, nil, ENOEXEC
		}
		front := []string{interpreter}
		if argument != "" {
			front = append(front, argument)
		}
		path, args = interpreter, append(append(front, path), args[1:]...)
	}
}

// readScript returns the interpreter in the first line of a script, and its argument.
//
// Kernel: load_script (fs/binfmt_script.c).
func readScript(content []byte) (interpreter, argument string, ok bool) {
	head := make([]byte, 256) // BINPRM_BUF_SIZE; what the file lacks is zero
	copy(head, content)
	if head[0] != '#' || head[1] != '!' {
		return "", "", false
	}
	line := head[2:]
	blank := func(b byte) bool { return b == ' ' || b == '\t' }
	end := bytes.IndexByte(line, '\n')
	if end < 0 {
		// The name must end in the buffer.
		trimmed := bytes.TrimLeft(line, " \t")
		if len(trimmed) == 0 || !bytes.ContainsAny(trimmed, " \t\x00") {
			return "", "", false
		}
		end = len(line) - 1
	}
	line = line[:end]
	for len(line) > 0 && blank(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	line = bytes.TrimLeft(line, " \t")
	if zero := bytes.IndexByte(line, 0); zero >= 0 {
		line = line[:zero]
	}
	if len(line) == 0 {
		return "", "", false
	}
	if at := bytes.IndexAny(line, " \t"); at >= 0 {
		return string(line[:at]), string(bytes.TrimLeft(line[at:], " \t")), true
	}
	return string(line), "", true
}

// facts returns what exec heeds of a file. It is false for capabilities that the kernel
// cannot read, which makes exec fail.
//
// Kernel: mnt_may_suid (fs/namespace.c), get_vfs_caps_from_disk (security/commoncap.c).
func (k *Kernel) facts(n *Node) (cred.File, bool) {
	uid, gid := k.owner(n)
	f := cred.File{
		Setuid: n.Mode&0o4000 != 0, Setgid: n.Mode&0o2000 != 0, GroupExec: n.Mode&0o010 != 0,
		UID: uid, GID: gid, NoSuid: n.Mount.NoSuid || n.Mount.Foreign,
	}
	if n.Caps == nil || f.NoSuid {
		return f, true
	}
	if len(n.Caps) < 4 {
		return f, false
	}
	words := 2
	switch magic := binary.LittleEndian.Uint32(n.Caps); {
	case magic>>24 == 1 && len(n.Caps) == 12:
		words = 1
	case magic>>24 == 2 && len(n.Caps) == 20:
	case magic>>24 == 3 && len(n.Caps) == 24:
	default:
		return f, false
	}
	if !k.ownsCaps(n.capsRoot()) {
		return f, true
	}
	f.HasCaps, f.Effective = true, n.Caps[0]&1 != 0
	for w := range words {
		f.Permitted |= cred.Caps(binary.LittleEndian.Uint32(n.Caps[4+8*w:])) << (32 * w)
		f.Inheritable |= cred.Caps(binary.LittleEndian.Uint32(n.Caps[8+8*w:])) << (32 * w)
	}
	return f, true
}
