package kernel

import (
	"encoding/binary"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/seal/internal/interp"
	"caprun/seal/internal/op"
)

// machine is a kernel with memory for the arguments of calls.
type machine struct {
	*Kernel
	t    *testing.T
	mem  interp.Memory
	next uint64
}

// world returns a small file system:
//
//	/bin/tool      ELF
//	/bin/script    "#!/bin/tool -x", mode 0711
//	/secret        mode 0700, with file
//	/jail/bin/tool ELF
//	/link          to bin/tool
//	/loop          to loop
//	/nosuid        a mount with nosuid, with set-id tool
//	/noexec        a mount with noexec, with tool
//	/foreign       a mount of another namespace
func world() *World {
	root := NewRoot()
	elf := Node{Mode: Regular | 0o755, Content: []byte("\x7fELF")}
	setid := elf
	setid.Mode |= 0o6000
	root.Add("bin/tool", elf)
	root.Add("bin/setid", setid)
	root.Add("bin/script", Node{Mode: Regular | 0o711, Content: []byte("#!/bin/tool -x y \nrest")})
	root.Add("bin/bad", Node{Mode: Regular | 0o755, Content: []byte("#!/bin/none\n")})
	root.Add("bin/text", Node{Mode: Regular | 0o755, Content: []byte("echo\n")})
	root.Add("secret", Node{Mode: Directory | 0o700})
	root.Add("secret/file", elf)
	root.Add("jail/bin/tool", elf)
	root.Add("link", Node{Mode: Symlink | 0o777, Link: "bin/tool"})
	root.Add("loop", Node{Mode: Symlink | 0o777, Link: "loop"})
	root.Add("nosuid/tool", setid)
	root.Add("noexec/tool", elf)
	root.Add("foreign/tool", setid)
	root.Add("dev/tty", Node{Mode: Device | 0o666, Terminal: true})
	root.Add("proc/self/stat", Node{Mode: Regular | 0o444, Status: true})
	for n, name := range []string{"nosuid", "noexec", "foreign", "proc"} {
		m := Mount{ID: 1<<31 + 10 + uint64(n), OldID: 30 + uint64(n), Type: 0x1021994}
		m.NoSuid, m.NoExec, m.Foreign = name == "nosuid", name == "noexec", name == "foreign"
		if name == "proc" {
			m.Type = 0x9fa0
		}
		root.Entries[name].MountOn(m)
	}
	return &World{Rules: cred.Latest(), Tree: root, NrOpen: 1 << 20}
}

func start(t *testing.T) *machine {
	w := world()
	m := &machine{t: t, Kernel: New(w, Task{
		Cred: cred.Root(), Root: w.Tree, Cwd: w.Tree, Umask: 0o022, PID: 4242, PPID: 1, PGID: 4242, SID: 4000,
		Files: map[int]File{0: {Node: w.Tree.Entries["dev"]}, 1: {Node: anonymous}, 2: {Node: anonymous}}, Terminal: true,
	})}
	for n := range m.Limits {
		m.Limits[n] = Limit{1024, 4096}
	}
	m.next = m.mem.Map(1 << 16)
	return m
}

// put returns the address of bytes.
func (m *machine) put(b []byte) uint64 {
	at := m.next
	m.next += uint64(len(b)+8) &^ 7
	if err := m.mem.Write(at, b); err != nil {
		m.t.Fatal(err)
	}
	return at
}

func (m *machine) text(s string) uint64 { return m.put(append([]byte(s), 0)) }

func (m *machine) words(list ...uint64) uint64 {
	var b []byte
	for _, w := range list {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return m.put(b)
}

func (m *machine) try(nr op.Sys, args ...uint64) (int64, error) {
	a := [6]uint64{interp.Unset, interp.Unset, interp.Unset, interp.Unset, interp.Unset, interp.Unset}
	copy(a[:], args)
	return m.Syscall(nr, a, &m.mem)
}

func (m *machine) call(nr op.Sys, args ...uint64) int64 {
	m.t.Helper()
	result, err := m.try(nr, args...)
	if err != nil {
		m.t.Errorf("%v%v: %v", nr, args, err)
	}
	return result
}

func (m *machine) want(result int64, nr op.Sys, args ...uint64) {
	m.t.Helper()
	if got := m.call(nr, args...); got != result {
		m.t.Errorf("%v%v: %d, expected %d", nr, args, got, result)
	}
}

const minusOne = ^uint64(0)

func TestEveryCallIsModelled(t *testing.T) {
	for nr := range op.Syscalls {
		if calls[nr].do == nil {
			t.Errorf("no model of %v", nr)
		}
	}
}

func TestUnknownArguments(t *testing.T) {
	m := start(t)
	for _, test := range []struct {
		want string
		nr   op.Sys
		args []uint64
	}{
		{"argument 2 is missing", op.Setresuid, []uint64{1}},
		{"argument 4 is missing", op.Prctl, []uint64{prCapAmbient, 1, 5}},
		{"argument 3 is missing", op.Prctl, []uint64{prSetNoNewPrivs, 1}},
		{"prctl operation 15", op.Prctl, []uint64{15, 0}},
		{"flags 0x10000", op.Openat, []uint64{minusOne - 99, m.text("/"), 0x10000}},
		{"outside the memory", op.Chdir, []uint64{1}},
		{"without AT_EACCESS", op.Faccessat2, []uint64{minusOne - 99, m.text("/"), 1, 0}},
		{"write to descriptor 1", op.Write, []uint64{1, 0, 0}},
	} {
		if _, err := m.try(test.nr, test.args...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v%v: %v, expected %q", test.nr, test.args, err, test.want)
		}
	}
}

func TestDeathSignalIsCleared(t *testing.T) {
	m := start(t)
	m.want(0, op.Prctl, prSetDeathSignal, 9)
	m.want(0, op.Setresuid, minusOne, minusOne, 5)
	if m.DeathSignal != 9 {
		t.Error("cleared by a saved uid")
	}
	m.want(0, op.Setresuid, minusOne, 7, minusOne)
	if m.DeathSignal != 0 {
		t.Error("kept with another effective uid")
	}
}

func TestCredentialCalls(t *testing.T) {
	m := start(t)
	header := m.words(capsVersion)
	sets := m.put(make([]byte, 24))
	m.want(0, op.Capget, header, sets)
	if e, _ := m.mem.Uint(sets, 4); e != 1<<32-1 {
		t.Errorf("effective %#x", e)
	}
	m.want(0, op.Prctl, prSetKeepCaps, 1)
	list := m.put([]byte{44, 0, 0, 0, 5, 0, 0, 0})
	m.want(0, op.Setgroups, 2, list)
	m.want(2, op.Getgroups, 0, 0)
	m.want(-EINVAL, op.Getgroups, 1, list)
	m.want(2, op.Getgroups, 2, list)
	if first, _ := m.mem.Uint(list, 4); first != 5 {
		t.Errorf("group %d", first)
	}
	m.want(0, op.Setresgid, 33, 33, 33)
	m.want(0, op.Setresuid, 33, 33, 33)
	m.want(33, op.Setfsuid, minusOne)
	m.want(33, op.Setfsgid, minusOne)
	m.want(-EPERM, op.Setresuid, 0, 0, 0)
	m.want(0, op.Capget, header, sets)
	if e, _ := m.mem.Uint(sets, 8); e != 0xffffffff<<32 {
		t.Errorf("effective and permitted %#x", e)
	}
	both := m.put(bytesOf(1<<10, 1<<10, 1<<10, 0, 0, 0))
	m.want(0, op.Capset, header, both)
	m.want(0, op.Prctl, prCapAmbient, 2, 10, 0, 0)
	m.want(-EPERM, op.Prctl, prCapAmbient, 2, 11, 0, 0)
	m.want(1, op.Prctl, prCapAmbient, 1, 10, 0, 0)
	m.want(-EINVAL, op.Prctl, prCapAmbient, 1, 41, 0, 0)
	m.want(0, op.Prctl, prSetNoNewPrivs, 1, 0, 0, 0)
	m.want(1, op.Prctl, prGetNoNewPrivs, 0, 0, 0, 0)
	m.want(-EPERM, op.Prctl, prCapbsetDrop, 3)
	m.want(1, op.Prctl, prCapbsetRead, 3)
	m.want(-EINVAL, op.Prctl, prCapbsetRead, 41)
}

func bytesOf(words ...uint32) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func TestWalk(t *testing.T) {
	m := start(t)
	user := cred.Root()
	user.UID, user.EUID, user.SUID, user.FSUID = 7, 7, 7, 7
	user.Permitted, user.Effective = 0, 0
	for _, test := range []struct {
		path  string
		root  int64
		other int64
	}{
		{"/bin/tool", 0, 0},
		{"bin/../bin/./tool", 0, 0},
		{"/../../bin//tool", 0, 0},
		{"/bin/tool/", ENOTDIR, ENOTDIR},
		{"/bin/tool/x", ENOTDIR, ENOTDIR},
		{"/bin/tool/..", ENOTDIR, ENOTDIR},
		{"/bin/none", ENOENT, ENOENT},
		{"", ENOENT, ENOENT},
		{"/link", 0, 0},
		{"/link/", ENOTDIR, ENOTDIR},
		{"/loop", ELOOP, ELOOP},
		{"/secret", 0, 0},
		{"/secret/", 0, 0},
		{"/secret/file", 0, EACCES},
		{"/secret/none", ENOENT, EACCES},
		{"/secret/..", 0, EACCES},
		{strings.Repeat("x", 256), ENAMETOOLONG, ENAMETOOLONG},
		{strings.Repeat("./", 2048), ENAMETOOLONG, ENAMETOOLONG},
	} {
		m.Cred = cred.Root()
		_, errno := m.walk(m.Cwd, test.path, true)
		m.Cred = user
		_, other := m.walk(m.Cwd, test.path, true)
		if errno != test.root || other != test.other {
			t.Errorf("%q: %d as root and %d as a user, expected %d and %d", test.path, errno, other, test.root, test.other)
		}
	}
}

func TestDescriptors(t *testing.T) {
	m := start(t)
	at := minusOne - 99
	m.want(3, op.Eventfd2, 0, openCloexec)
	m.want(4, op.Openat, at, m.text("/bin/tool"), openNonBlock)
	m.want(5, op.Fcntl, 4, 0, 3)
	m.want(0, op.Fcntl, 5, 1)
	m.want(0, op.CloseRange, 5, 1<<31-1, 4)
	m.want(1, op.Fcntl, 5, 1)
	m.want(0, op.Fcntl, 4, 1)
	m.want(0, op.Close, 3)
	m.want(-EBADF, op.Close, 3)
	buffer := m.put(make([]byte, 8))
	m.want(2, op.Pread64, 4, buffer, 8, 2)
	m.want(4, op.Read, 4, buffer, 8)
	m.want(-EBADF, op.Fcntl, 9, 1)
	m.Limits[limitNofile].Soft = 3
	m.want(-EMFILE, op.Eventfd2, 0, 0)
	m.want(-EMFILE, op.Openat, at, m.text("/"), openPath)
}

func TestTerminal(t *testing.T) {
	m := start(t)
	at := minusOne - 99
	m.want(-EPERM, op.Setsid)
	m.want(3, op.Openat, at, m.text("/dev/tty"), openReadWrite|openNonBlock)
	if !strings.Contains(string(m.status()), ") R 1 4242 4000 34817 ") {
		t.Errorf("%s", m.status())
	}
	m.want(0, op.Ioctl, 3, 0x5422)
	m.want(-ENOTTY, op.Ioctl, 3, 0x5422)
	m.want(-ENXIO, op.Openat, at, m.text("/dev/tty"), openReadWrite|openNonBlock)

	m = start(t)
	m.SID = m.PID
	m.want(3, op.Openat, at, m.text("/dev/tty"), openReadWrite|openNonBlock)
	if _, err := m.try(op.Ioctl, 3, 0x5422); err != interp.ErrKilled {
		t.Errorf("the leader of a session gives up the terminal: %v, expected SIGHUP", err)
	}
	m = start(t)
	m.PGID = 4000
	m.want(4242, op.Setsid)
	if m.Terminal || m.SID != 4242 {
		t.Error("setsid")
	}
}

func TestChroot(t *testing.T) {
	m := start(t)
	m.want(-ENOENT, op.Chroot, m.text("/none"))
	m.want(-ENOTDIR, op.Chroot, m.text("/bin/tool"))
	m.want(0, op.Chroot, m.text("/jail"))
	if _, errno := m.walk(m.Cwd, "link", true); errno != 0 {
		t.Error("the working directory is outside")
	}
	m.want(0, op.Chdir, m.text("/"))
	if n, _ := m.walk(m.Cwd, "../../bin/tool", true); n == nil || n.Path() != "/jail/bin/tool" {
		t.Error(n)
	}
}

func TestAttribute(t *testing.T) {
	m := start(t)
	tool := m.Tree.Entries["bin"].Entries["tool"]
	path, name, buffer := m.text("/bin/tool"), m.text("security.capability"), m.put(make([]byte, 64))
	m.want(-ENODATA, op.Getxattr, path, name, buffer, 64)
	tool.Caps = bytesOf(2<<24|1, 1<<10, 0, 0, 0)
	m.want(20, op.Getxattr, path, name, buffer, 64)
	m.want(20, op.Getxattr, path, name, 0, 0)
	m.want(-ERANGE, op.Getxattr, path, name, buffer, 19)
	tool.Caps = bytesOf(3<<24|1, 1<<10, 0, 0, 0, 1000)
	m.want(24, op.Getxattr, path, name, buffer, 24)
	m.Cred.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}}}
	m.want(20, op.Getxattr, path, name, buffer, 24)
	if f, ok := m.facts(tool); !ok || !f.HasCaps || !f.Effective || f.Permitted != 1<<10 {
		t.Errorf("%+v", f)
	}
	m.Cred.UserNS.UIDs[0].Outside = 1001
	m.want(-EOVERFLOW, op.Getxattr, path, name, buffer, 24)
	if f, ok := m.facts(tool); !ok || f.HasCaps {
		t.Errorf("%+v", f)
	}
	tool.Caps = []byte{1, 2, 3}
	m.want(-EINVAL, op.Getxattr, path, name, buffer, 24)
	if _, ok := m.facts(tool); ok {
		t.Error("invalid capabilities")
	}
}

func TestKeys(t *testing.T) {
	m := start(t)
	session := minusOne - 2
	old := m.call(op.Keyctl, 0, session, 0)
	now := m.call(op.Keyctl, 1, 0)
	if old <= 0 || now == old {
		t.Errorf("keyrings %d and %d", old, now)
	}
	m.want(now, op.Keyctl, 0, session, 0)
	m.want(0, op.Keyctl, 11, uint64(now), 0, 0)
	m.want(-EFAULT, op.Keyctl, 1, 1)
	m.want(-EOPNOTSUPP, op.Keyctl, 1<<20, 0)
	m.want(-EFAULT, op.AddKey, 1, 1, 0, 0, 0)
	m.KeyQuota = true
	m.want(-EDQUOT, op.Keyctl, 1, 0)
}

func TestLimits(t *testing.T) {
	m := start(t)
	old := m.put(make([]byte, 16))
	m.want(0, op.Prlimit64, 0, 1, m.words(5, 5000), old)
	if soft, _ := m.mem.Uint(old, 8); soft != 1024 || m.Limits[1] != (Limit{5, 5000}) {
		t.Error(soft, m.Limits[1])
	}
	m.want(-EINVAL, op.Prlimit64, 0, 1, m.words(6, 5), 0)
	m.want(-EPERM, op.Prlimit64, 0, limitNofile, m.words(5, 1<<30), 0)
	m.Cred.Effective = 0
	m.want(-EPERM, op.Prlimit64, 0, 1, m.words(5, 5001), 0)
}

// TestWriting has readers that do not read.
func TestWriting(t *testing.T) {
	m := start(t)
	text := m.text("message")
	m.want(7, op.Write, 2, text, 7)
	if string(m.Messages) != "message" {
		t.Errorf("%q", m.Messages)
	}
	m.Stderr = Full
	if _, err := m.try(op.Write, 2, text, 7); err == nil || !strings.Contains(err.Error(), "waits for a reader") {
		t.Error(err)
	}
	m.want(0, op.Setitimer, 0, m.words(0, 0, 1, 0), 0)
	if _, err := m.try(op.Write, 2, text, 7); err != interp.ErrKilled {
		t.Error(err)
	}
	m.Stderr = Broken
	if _, err := m.try(op.Write, 2, text, 7); err != interp.ErrKilled {
		t.Error(err)
	}
	m.want(0, op.RtSigaction, sigPIPE, m.words(sigIgnore, 0, 0, 0), 0, 8)
	m.want(-EPIPE, op.Write, 2, text, 7)
	delete(m.Files, 2)
	m.want(-EBADF, op.Write, 2, text, 7)
}
