package review

import (
	"path"
	"slices"
	"strings"
)

// A wrapper is a program that starts the program named by its arguments.
type wrapper struct {
	name     string
	valued   string // letters of options that take the next word as value
	operands int    // number of words before the program
}

// wrappers are programs that only prepare, start and supervise another program.
var wrappers = [...]wrapper{
	{"busybox", "", 0}, {"catatonit", "", 0}, {"chroot", "", 1}, {"chrt", "DPT", 1}, {"dumb-init", "r", 0},
	{"env", "aCu", 0}, {"flock", "Ew", 1}, {"gosu", "", 1}, {"ionice", "cn", 0}, {"nice", "n", 0}, {"nohup", "", 0},
	{"setpriv", "", 0}, {"setsid", "", 0}, {"stdbuf", "eio", 0}, {"strace", "aeIoOPpsSuXE", 0}, {"su-exec", "", 1},
	{"taskset", "", 1}, {"timeout", "ks", 1}, {"tini", "pe", 0}, {"toybox", "", 0}, {"unshare", "GRSw", 0}, {"xargs", "adEILnPs", 0},
}

// innerCommand returns the command behind wrappers, and the index of its program in
// command: "sh -c x" for "env A=b nice -n 5 sh -c x". Long options with a separate
// value are not recognized.
func innerCommand(command []string) (inner []string, at int) {
	const maxSplits = 8 // each copies the words
	inner = command
	for splits := 0; len(inner) > 0 && splits < maxSplits; {
		next, offset := unwrap(inner)
		if next == nil {
			break
		}
		// All words of a split string have its position.
		if splits == 0 {
			at += offset
		}
		if offset+len(next) != len(inner) {
			splits++
		}
		inner = next
	}
	return inner, at
}

// unwrap returns the command that one wrapper starts, and its index. It is nil if
// the command is not a wrapper or starts nothing.
func unwrap(command []string) (inner []string, at int) {
	name := path.Base(command[0])
	n := slices.IndexFunc(wrappers[:], func(w wrapper) bool { return w.name == name })
	var w wrapper
	switch {
	case n >= 0:
		w = wrappers[n]
	case !isLoader(name):
		return nil, 0
	}
	operands := w.operands
	for i := 1; i < len(command); i++ {
		word := command[i]
		if text, ok := splitString(word); ok && name == "env" {
			if text == "" && i+1 < len(command) {
				i++
				text = command[i]
			}
			split := append([]string{"env"}, strings.Fields(text)...)
			return append(split, command[i+1:]...), i
		}
		switch {
		case name == "env" && strings.Contains(word, "="):
		case word == "--" && operands == 0 && name != "env" && i+1 < len(command):
			return command[i+1:], i + 1
		case len(word) == 2 && word[0] == '-' && strings.IndexByte(w.valued, word[1]) >= 0:
			i++
		case strings.HasPrefix(word, "-"):
		case operands > 0:
			operands--
		default:
			return command[i:], i
		}
	}
	return nil, 0
}

// splitString returns the argument of the option -S of env, "" if that is the next
// word.
func splitString(word string) (text string, ok bool) {
	if text, ok = strings.CutPrefix(word, "--split-string="); ok {
		return text, true
	}
	flags, text, ok := strings.Cut(word, "S")
	return text, ok && strings.HasPrefix(flags, "-") && strings.Trim(flags[1:], "i0v") == ""
}

// isLoader reports whether a program is the dynamic loader, which can start another
// program.
func isLoader(name string) bool {
	return strings.HasPrefix(name, "ld-linux") || strings.HasPrefix(name, "ld-musl-") || strings.HasPrefix(name, "ld.so") || strings.HasPrefix(name, "ld-2.")
}
