package machine

import (
	"slices"

	"caprun/cap"
	"caprun/policy"
)

// Resources are what a caller has beside its credentials and a step of a
// launch depends on, as far as a profile asks for it. ReadResources reads
// those of the calling process. What is nil is not known.
type Resources struct {
	Limits          map[int]Limit
	HardLimitsFixed bool   // cap_sys_resource, which raises a hard limit, cannot be held
	NrOpen          uint64 // fs.nr_open; 0 where it is not known
	Descriptors     map[int]Descriptor
	Terminal        *Terminal
	Keys            cap.KeyAccess
}

// Limit is a resource limit; policy.Unlimited is none.
type Limit struct{ Soft, Hard uint64 }

// Descriptor is what a descriptor number stands for.
type Descriptor struct{ Open, CloseOnExec, Directory bool }

// Terminal is how far a process can know and give up its controlling terminal.
type Terminal struct {
	GroupLeader  bool // of a process group: it cannot start a session
	DevTTY       bool // /dev/tty tells whether there is one
	OnStandardFD bool // it is one of the standard descriptors
	InProc       bool // the proc file system tells whether there is one,
	ProcNone     bool // and there is none
}

// relevantDescriptors returns the descriptors that a profile makes matter.
func relevantDescriptors(p *policy.Profile) []int {
	list := slices.Clone(p.KeepFDs)
	if p.Chroot != "" {
		list = append(list, 0, 1, 2)
	}
	return list
}
