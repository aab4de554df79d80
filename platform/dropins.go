package platform

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"caprun/platform/systemd"
)

// unitDirectories are the directories of system units, the most important first:
// systemd.unit(5).
var unitDirectories = [...]string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
	"/run/systemd/generator.early", "/etc/systemd/system", "/etc/systemd/system.attached",
	"/run/systemd/system", "/run/systemd/system.attached", "/run/systemd/generator",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
	"/run/systemd/generator.late",
}

// UnitDirectories returns the directories that can have drop-ins and sockets of a unit in
// a directory, the most important first: all directories of system units if it is one of
// them, and otherwise only itself.
func UnitDirectories(dir string) []string {
	if slices.Contains(unitDirectories[:], dir) {
		return append([]string(nil), unitDirectories[:]...)
	}
	return []string{dir}
}

// DropInDirectories returns the names of the directories that can have drop-ins of a unit,
// such as web.service.d, the most important first: systemd.unit(5).
func DropInDirectories(unit string) []string { return systemd.DropInDirectories(unit) }

// IsDropIn reports whether a path is that of a drop-in of one service, such as
// web.service.d/override.conf. Those of several services, as in service.d, are not.
func IsDropIn(name string) bool {
	name = filepath.ToSlash(name)
	unit, ok := strings.CutSuffix(path.Base(path.Dir(name)), ".d")
	return ok && IsUnit(unit) && !strings.HasSuffix(unit, "-"+unitSuffix) && path.Ext(name) == ".conf"
}

// IsInstance reports whether a path is that of an instance of a template, such as
// web@1.service.
func IsInstance(name string) bool {
	_, instance, ok := strings.Cut(strings.TrimSuffix(path.Base(filepath.ToSlash(name)), unitSuffix), "@")
	return ok && instance != "" && IsUnit(name)
}

// SocketNames returns the names of the socket units that start a unit, if it does not name
// others in Sockets=: systemd.socket(5).
func SocketNames(unit string) []string {
	stem := strings.TrimSuffix(path.Base(unit), unitSuffix)
	names := []string{stem + ".socket"}
	if template, _, ok := strings.Cut(stem, "@"); ok {
		names = append(names, template+".socket")
	}
	return names
}

// SelectDropIns returns the drop-ins that systemd reads, in its order. paths are the files
// in the directories of drop-ins, those of the most important directory first.
func SelectDropIns(paths []string) []string {
	var selected []string
	seen := map[string]bool{}
	for _, p := range paths {
		base := path.Base(filepath.ToSlash(p))
		if strings.HasSuffix(base, ".conf") && !strings.HasPrefix(base, ".") && !seen[base] {
			seen[base] = true
			selected = append(selected, p)
		}
	}
	slices.SortStableFunc(selected, func(a, b string) int {
		return strings.Compare(path.Base(filepath.ToSlash(a)), path.Base(filepath.ToSlash(b)))
	})
	return selected
}
