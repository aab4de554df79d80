package systemd

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// DropInDirectories returns the names of the directories that can have drop-ins of a unit,
// such as web.service.d, the most important first: systemd.unit(5), and unit_file_find_dirs
// of systemd, which for a-b@x.service also reads a-@x.service.d and a-@.service.d.
func DropInDirectories(unit string) []string {
	unit = path.Base(unit)
	suffix := path.Ext(unit)
	prefix, instance, _ := strings.Cut(strings.TrimSuffix(unit, suffix), "@")
	names := []string{unit + ".d"}
	if instance != "" {
		names = append(names, prefix+"@"+suffix+".d")
	}
	// A dash at the beginning ends no prefix, and one at the end does not shorten the name.
	var prefixes []string
	for n := len(prefix) - 2; n > 0 && len(unit) <= maxUnitName; n-- {
		if prefix[n] == '-' {
			prefixes = append(prefixes, prefix[:n+1])
		}
	}
	for _, p := range prefixes {
		names = append(names, p+suffix+".d")
	}
	if instance != "" {
		for _, p := range prefixes {
			names = append(names, p+"@"+instance+suffix+".d", p+"@"+suffix+".d")
		}
	}
	return append(names, strings.TrimPrefix(suffix, ".")+".d")
}

// order returns the drop-ins of a unit in the order in which systemd applies them: by file name,
// wherever they are. Of those with one name, the one with the highest precedence counts.
func order(unit string, files []declared.File, found *findings) []declared.File {
	names := DropInDirectories(unit)
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(x, y declared.File) int {
		return cmp.Or(cmp.Compare(path.Base(x.Name), path.Base(y.Name)), cmp.Compare(precedence(y.Name, names), precedence(x.Name, names)))
	})
	var list []declared.File
	for n, f := range sorted {
		at := declared.Source{File: f.Name, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}}
		base := path.Base(f.Name)
		switch {
		case !strings.HasSuffix(base, ".conf") || strings.HasPrefix(base, "."):
			found.add(declared.Ignored, at, "give it a name that ends with .conf", "the name of the drop-in does not end with .conf: systemd ignores it")
		case n > 0 && base == path.Base(sorted[n-1].Name):
			found.add(declared.Ignored, at, "", "another drop-in with the same name replaces the whole file")
		default:
			list = append(list, f)
		}
	}
	return list
}

// precedence returns the rank of the directory of a drop-in: systemd.unit(5). Those for all
// services count least. names are those of DropInDirectories.
func precedence(name string, names []string) int {
	dir := path.Base(path.Dir(name))
	const perDirectory = 1 << 10 // more than the number of names
	if dir == "service.d" || dir == "socket.d" {
		return 0
	}
	rank := 1 // of a unit with another name
	if n := slices.Index(names, dir); n >= 0 {
		rank += max(perDirectory-2-n, 0)
	}
	for n, prefix := range [...]string{
		"/etc/systemd/system.control/", "/run/systemd/system.control/", "/run/systemd/transient/", "/run/systemd/generator.early/",
		"/etc/systemd/system/", "/run/systemd/system/", "/run/systemd/generator/", "/usr/local/lib/systemd/",
		"/lib/systemd/", "/run/systemd/generator.late/",
	} {
		if strings.Contains(name, prefix) {
			return rank + perDirectory*(20-n)
		}
	}
	return rank
}
