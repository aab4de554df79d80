package systemd

import (
	"slices"

	"caprun/platform/declared"
	"caprun/policy"
)

// maxFiles is the largest number of drop-ins and sockets of a unit.
const maxFiles = 256

// Read returns the processes of a service: those of ExecStart= first, then those of its
// other commands, in the order in which systemd runs them. Findings and losses of the
// whole unit belong to the first one.
//
// The names of the files say what specifiers stand for, the order of the drop-ins, and
// which of two with the same name counts. The order of dropIns does not matter otherwise.
// sockets are the socket units that start the service.
func Read(file declared.File, dropIns, sockets []declared.File) declared.Result {
	found := &findings{}
	start := declared.Source{File: file.Name, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}}
	if len(dropIns) > maxFiles || len(sockets) > maxFiles {
		found.add(declared.Syntax, start, "", "more than %d drop-ins or sockets", maxFiles)
		return declared.Result{Findings: found.List}
	}
	var list []assignment
	for _, f := range append([]declared.File{file}, order(file.Name, dropIns, found)...) {
		assignments, ok := parse(f, found)
		if !ok {
			return declared.Result{Findings: found.List}
		}
		list = append(list, assignments...)
	}
	if !slices.ContainsFunc(list, func(a assignment) bool { return a.section == serviceSection }) {
		hint := ""
		if isSocketUnit(list) {
			hint = "read the service unit, and pass this one as its socket"
		}
		found.add(declared.NoProcess, start, hint, "no process is declared: there is no section [Service]")
		return declared.Result{Findings: found.List}
	}
	u := newUnit(file, list, found)
	all := readSockets(sockets, u, found)
	if !found.failed {
		u.checkCommands(start)
	}
	if found.failed || u.total == 0 {
		return declared.Result{Findings: found.List}
	}
	processes := u.processes(all)
	processes[0].SetFindings(found.Findings)
	policy.Sort(processes[0].Findings)
	return declared.NewResult(processes, declared.Findings{})
}

// checkCommands refuses a unit without a command, and one with several main commands that
// is not of the type oneshot: service_verify of systemd.
func (u *unit) checkCommands(start declared.Source) {
	if u.total == 0 {
		u.found.add(declared.NoProcess, start, "", "no process is declared: the service has no command")
		return
	}
	main := u.commands[startKey]
	kind := u.value("Type")
	if len(main) > 1 && kind != "oneshot" {
		u.found.add(declared.Refused, main[1].source(), "write an empty ExecStart= before it, or Type=oneshot",
			"the service has more than one ExecStart=, and its type is not oneshot: systemd refuses it")
	}
	if len(main) == 0 && kind != "oneshot" && kind != "" {
		u.found.add(declared.Refused, start, "", "the service has no ExecStart=, and its type is not oneshot: systemd refuses it")
	}
}

// An entry is a command with its key and its process.
type entry struct {
	command
	key, name string
	rank      rank
	process   *declared.Process
}

// processes returns the processes of all commands.
func (u *unit) processes(sockets []socket) []*declared.Process {
	var list []*entry
	add := func(key string) {
		for n, c := range u.commands[key] {
			list = append(list, &entry{command: c, key: key, name: u.processName(key, n), rank: u.rankOf(key, c)})
		}
	}
	add(startKey)
	for _, key := range commandKeys {
		if key != startKey {
			add(key)
		}
	}
	processes := make([]*declared.Process, 0, len(list))
	for _, e := range list {
		e.process = &declared.Process{Name: e.name, Other: !e.rank.main, At: e.from.source()}
		processes = append(processes, e.process)
	}
	main := list[:max(len(u.commands[startKey]), 1)]
	reporter, least := ordinary(main), ordinary(list)
	for _, e := range list {
		b := builder{unit: u, Process: e.process, command: e.command, rank: e.rank, reports: e == reporter, hasUser: e == least, first: processes[0]}
		b.declare(sockets)
	}
	u.checkPrefixes(main[0], list)
	for _, e := range list {
		u.checkOther(least, e)
	}
	return processes
}

// ordinary returns the first command that most settings of the unit apply to.
func ordinary(list []*entry) *entry {
	for _, applies := range [...]func(rank) bool{
		func(r rank) bool { return r.setuid },
		func(r rank) bool { return r.sandbox },
	} {
		for _, e := range list {
			if applies(e.rank) {
				return e
			}
		}
	}
	return list[0]
}
