package systemd

import (
	"path"
	"slices"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// A socket is what a socket unit passes to its service.
type socket struct {
	name, file string
	listen     []*assignment
	accept     *assignment // Accept=yes, or nil
	service    *assignment // Service=, or nil
}

// maxDescriptors is the largest number of descriptors that the sockets pass: that of
// package policy.
const maxDescriptors = 1024

// readSockets reads the sockets of a service, with their drop-ins.
func readSockets(files []declared.File, u *unit, found *findings) []socket {
	var mains, dropIns []declared.File
	for _, f := range files {
		if dir := path.Base(path.Dir(f.Name)); strings.HasSuffix(dir, "socket.d") {
			dropIns = append(dropIns, f)
		} else {
			mains = append(mains, f)
		}
	}
	parsed := map[string][]assignment{}
	for _, f := range dropIns {
		list, ok := parse(f, found)
		if !ok {
			return nil
		}
		parsed[f.Name] = list
	}
	var sockets []socket
	total := 0
	for _, f := range mains {
		assignments, ok := parse(f, found)
		if !ok {
			return nil
		}
		s := socket{name: path.Base(f.Name), file: f.Name}
		names := DropInDirectories(s.name)
		its := slices.DeleteFunc(slices.Clone(dropIns), func(d declared.File) bool { return !slices.Contains(names, path.Base(path.Dir(d.Name))) })
		for _, d := range order(f.Name, its, found) {
			assignments = append(assignments, parsed[d.Name]...)
		}
		if total += len(assignments); total > maxSocketLines {
			found.add(declared.Syntax, declared.Source{File: f.Name, Position: fileStart}, "", "the sockets have more than %d lines", maxSocketLines)
			return nil
		}
		s.assign(assignments)
		if u.isFor(&s, found) {
			sockets = append(sockets, s)
		}
	}
	return sockets
}

// maxSocketLines is the largest number of assignments to the sockets of a service: those of
// a drop-in count once for each socket.
const maxSocketLines = 1 << 18

// fileStart is the first position of a file.
var fileStart = policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}

const socketSuffix = ".socket"

// assign reads the assignments of the socket and its drop-ins in their order.
func (s *socket) assign(list []assignment) {
	for n := range list {
		a := &list[n]
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
			s.service = a
			if a.value == "" {
				s.service = nil
			}
		}
	}
}

// isFor reports whether the socket passes descriptors to the service: socket_add_extras and
// socket_instantiate_service of systemd. With Accept=yes, it starts an instance of a template
// for each connection.
func (u *unit) isFor(s *socket, found *findings) bool {
	stem, isSocket := strings.CutSuffix(s.name, socketSuffix)
	if u.name.full == "" || !isSocket {
		return true
	}
	prefix, _, _ := strings.Cut(stem, "@")
	isInstance := u.name.template || u.name.instance != ""
	if s.accept != nil && s.service == nil && isInstance && prefix == u.name.prefix {
		return true
	}
	if a := u.last["Sockets"]; a != nil && slices.Contains(strings.Fields(a.value), s.name) {
		s.accept = nil // the service gets the listening sockets
		return true
	}
	if s.accept != nil {
		found.add(declared.Ignored, s.accept.source(), "", "the socket starts %s@.service for each connection and not %s: its descriptors do not count", clip(prefix), u.name.full)
		return false
	}
	if s.service != nil {
		if text, unknown := u.name.expand(s.service.value); unknown != "" || text == u.name.full {
			return true
		}
		found.add(declared.Ignored, s.service.source(), "", "the socket starts %s and not %s: its descriptors do not count", clip(s.service.value), u.name.full)
		return false
	}
	switch {
	case stem == u.name.stem(), isInstance && prefix == u.name.prefix && (stem == prefix+"@" || u.name.template && stem != prefix):
		return true
	case isInstance && stem == u.name.prefix:
		return false // both can exist
	}
	found.add(declared.Ignored, declared.Source{File: s.file, Position: fileStart}, "", "the socket starts %s.service and not %s: its descriptors do not count", clip(stem), u.name.full)
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
			b.addLoss(b.last[key], "%s=socket passes the socket as a standard stream", key)
			return // and no others
		}
	}
	for _, s := range sockets {
		list := s.listen
		if s.accept != nil {
			list = []*assignment{s.accept} // only the connection
		}
		for _, a := range list {
			const first = 3
			if len(b.Profile.KeepFDs) == maxDescriptors {
				b.addLoss(a, "a profile cannot have more than %d descriptors", maxDescriptors)
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
