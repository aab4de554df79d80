package process

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// statusLines returns the lines of a status file by their names. The kernel escapes the
// newlines of the first line, the name of the process.
func statusLines(file string, text []byte) map[string]declared.Source {
	lines := map[string]declared.Source{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		s := strings.TrimSuffix(string(line), "\n")
		name, _, ok := strings.Cut(s, ":")
		if _, has := lines[name]; !ok || has {
			continue
		}
		at := policy.Position{Line: number, Column: 1, EndLine: number, EndColumn: 1 + len([]rune(s))}
		lines[name] = declared.Source{File: file, Position: at, Text: strings.TrimSpace(strings.ReplaceAll(s, "\t", " "))}
	}
	return lines
}

// umask declares the umask, if the kernel shows it (Linux 4.7).
func (w *writer) umask() {
	_, value, _ := strings.Cut(w.lines["Umask"].Text, ": ")
	mask, err := strconv.ParseUint(value, 8, 32)
	if err != nil || mask > 0o777 {
		return
	}
	n := uint32(mask)
	w.Profile.Umask = &n
	w.from("umask", "Umask")
}

// limitLabels has the names of the limits in the file limits, see proc_pid_limits(5).
var limitLabels = [...]struct{ label, name string }{
	{"Max cpu time", "cpu"}, {"Max file size", "fsize"}, {"Max data size", "data"}, {"Max stack size", "stack"},
	{"Max core file size", "core"}, {"Max resident set", "rss"}, {"Max processes", "nproc"}, {"Max open files", "nofile"},
	{"Max locked memory", "memlock"}, {"Max address space", "as"}, {"Max file locks", "locks"}, {"Max pending signals", "sigpending"},
	{"Max msgqueue size", "msgqueue"}, {"Max nice priority", "nice"}, {"Max realtime priority", "rtprio"}, {"Max realtime timeout", "rttime"},
}

// limits declares the limits of the file limits.
func (w *writer) limits(file string, text []byte) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		s := strings.TrimRight(string(line), " \n")
		for _, l := range limitLabels {
			rest, ok := strings.CutPrefix(s, l.label+" ")
			values := strings.Fields(rest)
			if !ok || len(values) < 2 {
				continue
			}
			soft, softOK := limit(values[0])
			hard, hardOK := limit(values[1])
			r := policy.Rlimit{Name: l.name, Soft: soft, Hard: hard}
			at := policy.Position{Line: number, Column: 1, EndLine: number, EndColumn: 1 + len(s)}
			source := declared.Source{File: file, Position: at, Text: strings.Join(strings.Fields(s), " ")}
			if !softOK || !hardOK || !accepts(policy.Profile{Rlimits: []policy.Rlimit{r}}) {
				w.AddLoss(source, "a profile cannot have the limit %s", l.name)
				continue
			}
			if slices.ContainsFunc(w.Profile.Rlimits, func(other policy.Rlimit) bool { return other.Name == r.Name }) {
				continue
			}
			w.Profile.Rlimits = append(w.Profile.Rlimits, r)
			w.From("rlimits."+l.name, source)
		}
	}
	slices.SortFunc(w.Profile.Rlimits, func(a, b policy.Rlimit) int { return cmp.Compare(a.Name, b.Name) })
}

func limit(text string) (uint64, bool) {
	if text == "unlimited" {
		return policy.Unlimited, true
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}
