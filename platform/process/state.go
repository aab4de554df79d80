package process

import (
	"fmt"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/profiletext"
	"caprun/platform/declared"
	"caprun/policy"
)

// Surroundings are files of a process in /proc.
type Surroundings struct {
	// Status is the file status: the umask, and the lines of the other values.
	Status []byte

	// Limits is the file limits.
	Limits []byte
}

// maxGroups is the largest number of groups of a profile.
const maxGroups = 1024

// Declare returns the profile of a process in the state s.
func Declare(p *machine.Process, s Surroundings) *declared.Process {
	file := fmt.Sprintf("/proc/%d/status", p.PID)
	w := &writer{
		Process: &declared.Process{Name: p.Name, At: declared.Source{File: file, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 2}, Text: "Name"}},
		lines:   statusLines(file, s.Status),
	}
	state := p.States[0]
	w.identity(state)
	w.sets(state.Cred)
	if state.Cred.NoNewPrivs {
		w.Profile.NoNewPrivs = true
		w.from("no_new_privs", "NoNewPrivs")
	}
	w.umask()
	w.limits(fmt.Sprintf("/proc/%d/limits", p.PID), s.Limits)
	w.losses(p)
	return w.Process
}

// writer fills the process.
type writer struct {
	*declared.Process
	lines map[string]declared.Source // of the file status, by the name before the colon
}

// at returns the line of the file status with a name.
func (w *writer) at(name string) declared.Source {
	if s, ok := w.lines[name]; ok {
		return s
	}
	return w.At
}

// from records the line of the file status behind a key.
func (w *writer) from(key, name string) {
	if s, ok := w.lines[name]; ok {
		w.From(key, s)
	}
}

// identity declares the effective IDs and the groups.
func (w *writer) identity(s machine.ProcessState) {
	c := s.Cred
	for _, field := range s.Unmapped {
		w.AddFinding(declared.UnknownIdentity, w.At, "run caprun in the user namespace of the process", "the user namespace of caprun does not map an ID of the process (%s)", field)
	}
	if len(s.Unmapped) > 0 {
		w.Sets.UnknownUID = true
		return
	}
	uid := c.EUID
	w.Profile.UID, w.Profile.GID = &uid, &policy.Group{ID: c.EGID}
	w.from("uid", "Uid")
	w.from("gid", "Gid")
	if c.UID != uid || c.SUID != uid || c.FSUID != uid {
		w.AddLoss(w.at("Uid"), "the uids differ: real %d, effective %d, saved %d, file system %d", c.UID, c.EUID, c.SUID, c.FSUID)
	}
	if c.GID != c.EGID || c.SGID != c.EGID || c.FSGID != c.EGID {
		w.AddLoss(w.at("Gid"), "the gids differ: real %d, effective %d, saved %d, file system %d", c.GID, c.EGID, c.SGID, c.FSGID)
	}
	w.groups(c)
}

func (w *writer) groups(c cred.Cred) {
	if len(c.Groups) > maxGroups {
		w.AddLoss(w.at("Groups"), "the process has %d groups, and a profile at most %d", len(c.Groups), maxGroups)
		return
	}
	w.Profile.Groups = []policy.Group{}
	w.from("groups", "Groups")
	hasGID := false
	for n, g := range c.Groups {
		hasGID = hasGID || g == c.EGID
		if n == 0 || g != c.Groups[n-1] {
			w.Profile.Groups = append(w.Profile.Groups, policy.Group{ID: g})
		}
	}
	if !hasGID {
		w.AddLoss(w.at("Groups"), "the supplementary groups lack the gid %d, which a launch with the profile adds", c.EGID)
	}
}

// sets declares the sets that exec depends on, and compares the permitted and the effective
// set with what exec leaves.
func (w *writer) sets(c cred.Cred) {
	s := &w.Sets
	s.Inheritable, s.Ambient, s.Bounding = c.Inheritable, c.Ambient, c.Bounding
	for _, key := range [...]string{"caps", "iab"} {
		for _, name := range [...]string{"CapInh", "CapBnd", "CapAmb"} {
			w.from(key, name)
		}
	}
	if s.UnknownUID {
		return
	}
	granted := c.Ambient
	if c.EUID == 0 {
		granted = c.Bounding.Union(c.Inheritable).Union(c.Ambient)
		if c.NoNewPrivs {
			s.Withheld = granted.Minus(c.Permitted)
			granted = granted.Minus(s.Withheld)
		}
	}
	if more := c.Permitted.Minus(granted); more != 0 {
		w.AddLoss(w.at("CapPrm"), "the process has %s permitted, which a program started with its sets does not have", more)
	}
	if less := granted.Minus(c.Permitted); less != 0 {
		w.AddLoss(w.at("CapPrm"), "the process has %s not permitted, which a program started with its sets has", less)
	}
	if less := c.Permitted.Intersect(granted).Minus(c.Effective); less != 0 {
		w.AddLoss(w.at("CapEff"), "the process has %s permitted and not effective, and a program starts with it effective", less)
	}
}

// losses records what is not read, and what a profile cannot declare.
func (w *writer) losses(p *machine.Process) {
	w.AddLoss(w.At, "the securebits of another process cannot be read")
	w.AddLoss(w.At, "the environment, the arguments and the descriptors are not read")
	if n := len(p.States); n > 1 {
		w.AddLoss(w.At, "the threads are in %d different states: the profile has that of thread %d", n, p.States[0].Threads[0])
	}
	state := p.States[0]
	if p.UserNS != machine.NamespaceSame {
		w.AddLoss(w.At, "the process may be in another user namespace, to which its capabilities are relative")
	}
	if state.MountNS != machine.NamespaceSame {
		w.AddLoss(w.At, "the process may be in another mount namespace")
	}
	if f := p.File; p.FileErr == nil && !f.NoSuid && (f.Setuid || f.Setgid && f.GroupExec || f.HasCaps) {
		w.AddLoss(w.At, "the program has set-id bits or file capabilities, which change the state at exec")
	}
}

// accepts reports whether a profile can have the values of p.
func accepts(p policy.Profile) bool {
	_, _, err := profiletext.Write(&p, nil)
	return err == nil
}
