package machine

import (
	"slices"

	"caprun/cap"
	"caprun/policy"
)

// Resources are the resources of a process, other than credentials, that the steps of a
// launch depend on. [ReadResources] reads those of the calling process that matter to a
// profile. A nil or zero field is unknown.
type Resources struct {
	Limits          map[int]Limit // by RLIMIT_ number
	HardLimitsFixed bool          // no process can raise a hard limit: none can have cap_sys_resource
	NrOpen          uint64        // the sysctl fs.nr_open
	Descriptors     map[int]Descriptor
	Terminal        *Terminal
	Keys            cap.KeyAccess
}

// Limit is a resource limit, see getrlimit(2), in the unit of the resource. The value
// policy.Unlimited stands for no limit.
type Limit struct{ Soft, Hard uint64 }

// Descriptor is the state of a file descriptor.
type Descriptor struct{ Open, CloseOnExec, Directory bool }

// Terminal describes what a process can learn about its controlling terminal, and whether
// it can give the terminal up.
type Terminal struct {
	GroupLeader  bool // the process leads its process group, so it cannot start a session
	DevTTY       bool // opening /dev/tty shows whether there is a terminal
	OnStandardFD bool // the terminal is descriptor 0, 1 or 2
	InProc       bool // /proc/self/stat shows whether there is a terminal
	ProcNone     bool // /proc/self/stat shows that there is none
}

// relevantDescriptors returns the descriptors that the steps of a profile depend on.
func relevantDescriptors(p *policy.Profile) []int {
	list := slices.Clone(p.KeepFDs)
	if p.Chroot != "" {
		list = append(list, 0, 1, 2)
	}
	return list
}
