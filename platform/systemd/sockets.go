package systemd

import (
	"path"
	"slices"
	"strings"

	"caprun/platform/declared"
)

// A socket is what a socket unit passes to its service.
type socket struct {
	name   string
	listen []*assignment
	accept *assignment // Accept=yes, or nil
}

// maxDescriptors is the largest number of descriptors that the sockets pass: that of
// package policy.
const maxDescriptors = 1024

// readSockets reads the sockets of a service.
func readSockets(files []declared.File, u *unit, found *findings) []socket {
	var list []socket
	for _, f := range files {
		assignments, ok := parse(f, found)
		if !ok {
			return nil
		}
		s := socket{name: path.Base(f.Name)}
		var service *assignment
		for n := range assignments {
			a := &assignments[n]
			switch {
			case a.section != socketSection:
			case slices.Contains(listenKeys[:], a.key):
				if a.value == "" {
					s.listen = nil // also those of other keys
				} else {
					s.listen = append(s.listen, a)
				}
			case a.key == "Accept":
				if on, ok := parseBool(a.value); ok && on {
					s.accept = a
				} else if ok {
					s.accept = nil
				}
			case a.key == "Service":
				service = a
			}
		}
		if u.isFor(s, service, found) {
			list = append(list, s)
		}
	}
	return list
}

// isFor reports whether the socket starts the service.
func (u *unit) isFor(s socket, service *assignment, found *findings) bool {
	if u.name.full == "" || service == nil {
		return true
	}
	if a := u.last["Sockets"]; a != nil && slices.Contains(strings.Fields(a.value), s.name) {
		return true
	}
	if text, unknown := u.name.expand(service.value); unknown != "" || text == u.name.full || service.value == "" {
		return true
	}
	found.add(declared.Ignored, service.source(), "", "the socket starts %s and not %s: its descriptors do not count", clip(service.value), u.name.full)
	return false
}

// readDescriptors declares the descriptors that sockets pass to the main command, from 3
// on: service_collect_fds and exec_spawn of systemd.
func (b *builder) readDescriptors(sockets []socket) {
	if !b.rank.main {
		return
	}
	for _, key := range [...]string{"StandardInput", "StandardOutput", "StandardError"} {
		if b.value(key) == "socket" {
			b.lose(b.last[key], "%s=socket passes the socket as a standard stream", key)
			return // and no others
		}
	}
	for _, s := range sockets {
		list := s.listen
		if s.accept != nil {
			list = []*assignment{s.accept} // the connection alone
		}
		for _, a := range list {
			const first = 3
			if len(b.Profile.KeepFDs) == maxDescriptors {
				b.lose(a, "a profile cannot have more than %d descriptors", maxDescriptors)
				return
			}
			b.Profile.KeepFDs = append(b.Profile.KeepFDs, first+len(b.Profile.KeepFDs))
			b.from("keep_fds", a)
		}
	}
}

// isSocketUnit reports whether a file is a socket unit and no service.
func isSocketUnit(list []assignment) bool {
	return slices.ContainsFunc(list, func(a assignment) bool { return a.section == socketSection })
}
