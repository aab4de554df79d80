package evidence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/learn/classify"
)

// overrides are the capabilities that let a process access a file although it is not its
// owner.
var overrides = []int{cred.DAC_OVERRIDE, cred.DAC_READ_SEARCH, cred.FOWNER}

// maxPaths is the largest number of paths of a verdict.
const maxPaths = 4

// paths returns the absolute paths of the calls for which capability n was checked, if it
// overrides ownership: those of the run without it, or else those of the reference run.
func (j *judge) paths(n int) []Path {
	if !slices.Contains(overrides, n) {
		return nil
	}
	var calls []classify.Call
	if trial, ok := j.trialWithout(n); ok {
		denied := j.denied(trial, n)
		if calls = j.newlyFailed(denied); len(calls) == 0 {
			calls = denied
		}
	}
	if len(calls) == 0 {
		calls = j.in.Reference.Uses[n].StrongCalls.List
	}
	var list []Path
	for _, c := range calls {
		path := pathIn(c.Args)
		p := Path{Path: profiletext.Inert(path, MaxText)}
		if path == "" || len(list) == maxPaths || slices.ContainsFunc(list, func(q Path) bool { return q.Path == p.Path }) {
			continue
		}
		if isShellSafe(path) && len(path) <= MaxText {
			p.Command = fmt.Sprintf("chown %d %s", j.in.UID, path)
		}
		list = append(list, p)
	}
	return list
}

// pathIn returns the first absolute path of the arguments of a call, or "". Strings there
// are quoted as in Go, and a long one may be cut.
func pathIn(args string) string {
	_, after, ok := strings.Cut(args, `"`)
	if !ok {
		return ""
	}
	quoted, err := strconv.QuotedPrefix(`"` + after)
	if err != nil {
		return ""
	}
	path, err := strconv.Unquote(quoted)
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(args[strings.Index(args, quoted)+len(quoted):], "...") {
		return ""
	}
	return path
}

// isShellSafe reports whether a path has only characters without a meaning to a shell.
func isShellSafe(path string) bool {
	return !strings.ContainsFunc(path, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._+@%:,-", r))
	})
}
