package containers

import (
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// An Engine is a program that starts containers.
type Engine int

const (
	Docker Engine = iota
	Podman
	Containerd // as Kubernetes uses it, over the CRI
	CRIO
)

// engines is the table of the engines.
var engines = [...]struct {
	name, title string
	defaults    cred.Caps
}{
	// DefaultCapabilities in oci/caps/defaults.go of moby.
	Docker: {"docker", "Docker", common | 1<<mknod | 1<<netRaw | 1<<setfcap | 1<<sysChroot | 1<<auditWrite},
	// DefaultCapabilities in pkg/config/default.go of containers/common.
	Podman: {"podman", "Podman", common | 1<<setfcap | 1<<sysChroot},
	// defaultUnixCaps in oci/spec.go of containerd.
	Containerd: {"containerd", "containerd", common | 1<<mknod | 1<<netRaw | 1<<setfcap | 1<<sysChroot | 1<<auditWrite},
	// Default in internal/config/capabilities of CRI-O.
	CRIO: {"crio", "CRI-O", common},
}

// common is the set that every engine gives to a container by default.
const common = cred.Caps(1<<cred.CHOWN | 1<<cred.DAC_OVERRIDE | 1<<cred.FOWNER | 1<<cred.FSETID |
	1<<kill | 1<<netBindService | 1<<cred.SETGID | 1<<cred.SETUID | 1<<cred.SETPCAP)

// Capabilities by their numbers in linux/capability.h, other than those of cred.
const (
	kill           = 5
	netBindService = 10
	netRaw         = 13
	sysChroot      = 18
	mknod          = 27
	auditWrite     = 29
	setfcap        = 31
)

// Find returns the engine with a name: docker, podman, containerd or crio.
func Find(name string) (e Engine, ok bool) {
	for n, known := range engines {
		if known.name == name {
			return Engine(n), true
		}
	}
	return 0, false
}

// Names returns the names that Find accepts.
func Names() []string {
	names := make([]string, 0, len(engines))
	for _, e := range engines {
		names = append(names, e.name)
	}
	return names
}

// String returns the name of the engine for a message, such as "CRI-O".
func (e Engine) String() string { return engines[e].title }

// Defaults returns the bounding set of a container that adds and drops nothing.
func (e Engine) Defaults() cred.Caps { return engines[e].defaults }

// capability returns the capability that the engine takes a word for. prefixed reports
// that the engine does not accept it because of its prefix CAP_.
func (e Engine) capability(word string) (n int, prefixed, ok bool) {
	name := strings.ToUpper(word)
	switch bare, has := strings.CutPrefix(name, "CAP_"); {
	case !has:
		name = "CAP_" + name
	case e == Containerd:
		// It writes CAP_CAP_NET_ADMIN into the configuration of the runtime.
		_, _, prefixed = Docker.capability(bare)
		return 0, prefixed, false
	}
	v, err := cap.FromName(strings.ToLower(name))
	if err != nil || int(v) >= cap.NamedCount {
		return 0, false, false
	}
	return int(v), false, true
}

// ignoresUnknown reports whether a container starts without an unknown capability: runc prints a warning into the log of the runtime.
func (e Engine) ignoresUnknown() bool { return e == Containerd }

// isAll reports whether a word means every capability.
func isAll(word string) bool { return strings.EqualFold(word, "ALL") }
