package launcher_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/launches"
	"caprun/policy"
	"caprun/seal/internal/interp"
	"caprun/seal/internal/interp/kernel"
	"caprun/seal/internal/launcher"
	"caprun/seal/internal/op"
)

// dir is the directory of a case in the model.
const dir = "/case"

// elf is the head of an ELF file for amd64.
var elf = append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), make([]byte, 44)...)

// amd64 is the machine of elf.
var amd64 = []launcher.Format{{Class: 2, Machine: 62}}

// users are in the user database of the model.
var users = []machine.User{
	{Name: "root", Home: "/root"},
	{Name: "www", UID: 33, GID: 33, Groups: []uint32{27}, Home: "/var/www"},
	{Name: "nobody", UID: 65534, GID: 65534, Home: "/"},
}

// generator is the machine for which cases are generated.
var generator = &launches.Machine{
	Start: cred.Root(), Rules: cred.Latest(), Users: users,
	Owners: []uint32{0, 1000, 1001}, Groups: []uint32{0, 1000, 1003}, FileCaps: true, Mounts: true, Namespaces: true,
}

// scene is a launch in the model: a random profile, caller and file system.
type scene struct {
	launches.Case
	seed  uint64
	index int

	text    string // of the profile
	profile *policy.Profile
	world   *kernel.World
	task    kernel.Task
	start   interp.Start
	secure  bool // the launcher starts with AT_SECURE
	faulty  bool // a system call has a wrong result

	file    *kernel.Node // that exec must execute
	foreign bool
	noexec  bool
	keys    cap.KeyAccess

	// What caprun does in this case: plan, or the reason why it has none.
	plan   *engine.Plan
	reason string
	path   string   // for execve
	args   []string // of the target
}

// String returns what is needed to repeat the case.
func (s *scene) String() string {
	return fmt.Sprintf("seed %d, index %d\ncaller: %v\ntarget: %v\narguments %q, environment %q\n%s", s.seed, s.index,
		s.Caller.Arguments(dir), s.Target, s.start.Args, s.start.Env, s.text)
}

// newScene returns scene number index, or nil if the generated profile is not valid.
func newScene(seed uint64, index int) *scene {
	s := &scene{Case: launches.Make(generator, seed, index), seed: seed, index: index}
	r := rand.New(rand.NewPCG(seed+1, uint64(index)))
	odds := func(percent int) bool { return r.IntN(100) < percent }
	var ok bool
	if s.task.Cred, s.secure, ok = s.Caller.State(generator); !ok {
		return nil
	}
	s.text = s.Profile.Text(dir)
	if odds(20) {
		s.text += "new_session: true\n"
	}
	if odds(10) {
		s.text += "keyring: inherit\n"
	}
	if s.profile, _ = policy.Parse("profile.yaml", []byte(s.text)); s.profile == nil {
		return nil
	}
	s.makeFiles(odds)
	s.makeTask(r, odds)
	s.makeArguments(r, odds)
	s.predict()
	return s
}

// makeFiles makes the file system.
func (s *scene) makeFiles(odds func(int) bool) {
	root := kernel.NewRoot()
	s.world = &kernel.World{Rules: generator.Rules, Tree: root, NrOpen: 1 << 20}
	for _, path := range []string{"dir", "jail/dir"} {
		root.Add(dir+"/"+path, kernel.Node{Mode: kernel.Directory | 0o755})
	}
	place := dir
	if s.Profile.Chroot {
		place += "/" + launches.Jail
	}
	path := s.Target.Path(dir, s.Profile.Chroot) // as the target sees it
	program := kernel.Node{Mode: kernel.Regular | s.Target.Mode(), UID: s.Target.File.UID, GID: s.Target.File.GID, Content: elf}
	if odds(10) {
		program.Mode &^= 0o044
	}
	if f := s.Target.File; f.HasCaps {
		program.Caps = attribute(f, s.Target.RootID)
	}
	plain := kernel.Node{Mode: kernel.Regular | 0o755, Content: elf}
	switch s.Target.Via {
	case launches.Direct:
		s.file = root.Add(place+"/target", program)
	case launches.Script:
		s.file = root.Add(place+"/target", program)
		root.Add(place+"/script", kernel.Node{Mode: kernel.Regular | 0o755, Content: []byte("#!" + strings.TrimSuffix(path, "script") + "target\n")})
	case launches.PlainScript:
		program.Content = []byte("#!" + strings.TrimSuffix(path, "plain-script") + "plain\n")
		root.Add(place+"/plain-script", program)
		s.file = root.Add(place+"/plain", plain)
	}
	root.Add("dev/null", kernel.Node{Mode: kernel.Device | 0o666})
	if odds(85) {
		root.Add("dev/tty", kernel.Node{Mode: kernel.Device | 0o666, Terminal: true})
	}
	if odds(85) {
		root.Add("proc/self/stat", kernel.Node{Mode: kernel.Regular | 0o444, Status: true})
		root.Add("proc/sys/kernel/overflowuid", kernel.Node{Mode: kernel.Regular | 0o644, Content: []byte("65534\n")})
		root.Add("proc/sys/kernel/overflowgid", kernel.Node{Mode: kernel.Regular | 0o644, Content: []byte("65534\n")})
		root.Entries["proc"].MountOn(kernel.Mount{ID: 1<<31 + 5, OldID: 25, Type: 0x9fa0, Dev: 23})
	}
	s.foreign, s.noexec = odds(3), odds(2)
	if nosuid := s.Caller.Has("nosuid"); nosuid || s.foreign || s.noexec || odds(10) {
		root.Entries[dir[1:]].MountOn(kernel.Mount{
			ID: 1<<31 + 7, OldID: 27, Type: 0x1021994, Dev: 24, NoSuid: nosuid, NoExec: s.noexec, Foreign: s.foreign,
		})
	}
	s.world.OldMountIDs = odds(10)
}

// attribute returns the attribute security.capability.
func attribute(f cred.File, rootID uint32) []byte {
	magic := uint32(2 << 24)
	if rootID != 0 {
		magic = 3 << 24
	}
	if f.Effective {
		magic |= 1
	}
	b := binary.LittleEndian.AppendUint32(nil, magic)
	for half := 0; half < 64; half += 32 {
		b = binary.LittleEndian.AppendUint32(b, uint32(f.Permitted>>half))
		b = binary.LittleEndian.AppendUint32(b, uint32(f.Inheritable>>half))
	}
	if rootID != 0 {
		b = binary.LittleEndian.AppendUint32(b, rootID)
	}
	return b
}

// makeTask makes the caller, beyond its credentials.
func (s *scene) makeTask(r *rand.Rand, odds func(int) bool) {
	t, root := &s.task, s.world.Tree
	t.Root, t.Cwd, t.Umask = root, root, uint32(r.IntN(0o100))
	if odds(50) {
		t.Cwd = root.Entries[dir[1:]]
	}
	null := kernel.File{Node: root.Entries["dev"].Entries["null"]}
	t.Files = map[int]kernel.File{}
	for fd := range 3 {
		if odds(95) {
			t.Files[fd] = null
		}
	}
	if odds(3) {
		t.Files[r.IntN(3)] = kernel.File{Node: root}
	}
	if s.Caller.Keeps(5) {
		t.Files[5] = null
	}
	if s.Caller.Keeps(7) {
		t.Files[7] = kernel.File{Node: root}
	}
	if odds(30) {
		t.Files[3+r.IntN(30)] = kernel.File{Node: null.Node, CloseOnExec: odds(30)}
	}
	for n := range t.Limits {
		t.Limits[n] = kernel.Limit{Soft: policy.Unlimited, Hard: policy.Unlimited}
	}
	t.Limits[3] = kernel.Limit{Soft: 8 << 20, Hard: policy.Unlimited}
	if odds(20) {
		t.Limits[3] = kernel.Limit{Soft: 32 << 20, Hard: 32 << 20}
	}
	t.Limits[7] = kernel.Limit{Soft: uint64(34 + r.IntN(1000)), Hard: 4096}
	if odds(15) {
		t.Limits[4] = kernel.Limit{}
	}
	t.PID, t.PPID, t.PGID, t.SID = 4242, 77, 4242, 4000
	switch r.IntN(4) {
	case 0:
		t.SID = 4242
	case 1:
		t.PGID = 4000
	}
	if t.Terminal = odds(50); t.Terminal && odds(30) {
		if tty := root.Entries["dev"].Entries["tty"]; tty != nil {
			t.Files[0] = kernel.File{Node: tty}
		}
	}
	if odds(20) {
		t.DeathSignal = 1 + r.IntN(64)
	}
	t.Keyring = []int32{0, 900}[r.IntN(2)]
	for range r.IntN(4) {
		if n := 1 + r.IntN(64); n != 9 && n != 19 {
			t.Handlers[n] = 1
		}
	}
	t.SignalMask = r.Uint64() & r.Uint64() &^ (1<<8 | 1<<18)
	if odds(10) {
		t.Timer = [4]uint64{0, 0, 5, 6}
	}
	s.keys = cap.KeysReplaceable
	if odds(15) {
		s.filterKeys(odds(50))
	}
	if s.world.Stderr = kernel.Reading; odds(5) {
		s.world.Stderr = []kernel.Stderr{kernel.Full, kernel.Broken}[r.IntN(2)]
	}
}

// filterKeys makes a filter that refuses every call that reaches a key, as container
// runtimes have, or only that which replaces the session keyring.
func (s *scene) filterKeys(all bool) {
	s.keys = cap.KeysFixed
	if all {
		s.keys = cap.KeysUnreachable
	}
	s.world.Filter = func(nr op.Sys, args [6]uint64) (int64, bool) {
		switch nr {
		case op.Keyctl:
			return -kernel.EPERM, all || args[0] == 1
		case op.AddKey, op.RequestKey:
			return -kernel.EPERM, all
		}
		return 0, false
	}
}

// makeArguments makes what the launcher starts with.
func (s *scene) makeArguments(r *rand.Rand, odds func(int) bool) {
	s.path = s.Target.Path(dir, s.Profile.Chroot)
	command := s.path
	here := strings.TrimSuffix(s.path, s.path[strings.LastIndex(s.path, "/"):])
	if here == "" {
		here = "/"
	}
	if odds(15) {
		command = s.path[strings.LastIndex(s.path, "/")+1:]
	}
	s.start.Args = []string{"/launcher"}
	if odds(50) {
		s.start.Args = append(s.start.Args, "--")
	}
	s.args = []string{command}
	if odds(50) {
		s.args = append(s.args, "-v", "")
	}
	s.start.Args = append(s.start.Args, s.args...)
	env := []string{
		"PATH=/none:" + here, "HOME=/home/caller", "USER=caller", "LOGNAME=caller", "LANG=C", "LD_PRELOAD=/x.so", "LD_LIBRARY_PATH=/lib",
		"TMPDIR=/tmp", "LANG=de", "=x", "noequals", "MODE=debug", "PATHS=1", "LD_=", "", "EMPTY=",
	}
	r.Shuffle(len(env), func(i, j int) { env[i], env[j] = env[j], env[i] })
	s.start.Env = env[:r.IntN(len(env)+1)]
	s.start.Aux = []interp.Aux{{Key: 6, Value: 4096}, {Key: 23, Value: 0}, {Key: 33, Value: 7}}
	if s.secure {
		s.start.Aux[1].Value = 1
	}
}

// predict asks the engine what caprun does.
func (s *scene) predict() {
	if s.secure {
		s.reason = "AT_SECURE"
		return
	}
	facts := s.Target.Facts(s.task.Cred.UserNS, s.Caller.Has("nosuid") || s.foreign)
	leader := s.task.PGID == s.task.PID
	resources := &machine.Resources{
		Limits: map[int]machine.Limit{}, NrOpen: s.world.NrOpen, Descriptors: map[int]machine.Descriptor{}, Keys: s.keys,
		Terminal: &machine.Terminal{
			// caprun verifies that a new session has no terminal. A launcher verifies
			// that there is a new session, so it also starts without /dev/tty and /proc.
			GroupLeader: leader, DevTTY: !leader || s.world.Tree.Entries["dev"].Entries["tty"] != nil,
			OnStandardFD: s.task.Terminal && s.task.Files[0].Node != nil && s.task.Files[0].Node.Terminal,
			InProc:       s.world.Tree.Entries["proc"] != nil, ProcNone: !s.task.Terminal,
		},
	}
	for n, l := range s.task.Limits {
		resources.Limits[n] = machine.Limit{Soft: l.Soft, Hard: l.Hard}
	}
	for fd := range 64 {
		f, open := s.task.Files[fd]
		resources.Descriptors[fd] = machine.Descriptor{Open: open, CloseOnExec: f.CloseOnExec, Directory: f.Node != nil && f.Node.Entries != nil}
	}
	plan, diagnostics := engine.Compile(s.profile, s.task.Cred, engine.Target{
		KernelRules: generator.Rules,
		Program:     machine.Program{Path: s.path, Args: s.args, FilePath: s.file.Path(), File: facts, ForeignMount: s.foreign},
		Accounts:    s.accounts(),
		DeathSignal: machine.DeathSignal{Signal: s.task.DeathSignal, Parent: s.task.PPID},
		Resources:   resources,
	})
	if plan == nil {
		s.reason = diagnostics[0].Rule + ": " + diagnostics[0].Message
		return
	}
	s.plan = plan
	s.refuseProgram()
}

// refuseProgram refuses a program that the target may not execute or does not find.
func (s *scene) refuseProgram() {
	before := kernel.New(s.world, s.task)
	before.Cred = s.plan.BeforeExec
	if s.noexec || !before.MayExecute(s.file) || s.Target.Via == launches.PlainScript && !before.MayExecute(s.file.Parent.Entries["plain-script"]) {
		s.plan, s.reason = nil, "the target may not execute the program"
		return
	}
	if !strings.Contains(s.args[0], "/") {
		env := s.plan.Environ(s.start.Env)
		if !slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "PATH=") }) {
			s.plan, s.reason = nil, "PATH is not set"
			return
		}
	}
}

// build returns the launcher of the scene.
func (s *scene) build() (*op.Program, error) {
	return launcher.Build(launcher.Config{Profile: s.profile, Name: "web", Accounts: s.accounts(), Formats: amd64})
}

// accounts returns the entries that the profile names.
func (s *scene) accounts() *machine.Accounts {
	entry := s.Profile.Promise(users).Entry
	if entry == nil {
		return nil
	}
	return &machine.Accounts{User: entry}
}
