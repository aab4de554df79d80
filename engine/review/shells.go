package review

import (
	"path"
	"strings"
)

// scriptOf returns which word of a command is the script of a shell or of an
// interpreter, and 0 where there is none.
func scriptOf(command []string) int {
	shell := isShell(command)
	if !shell && !isInterpreter(command) {
		return 0
	}
	for i, word := range command[1:] {
		switch {
		case !strings.HasPrefix(word, "-"):
			return i + 1
		case strings.HasPrefix(word, "--"):
		case shell && strings.ContainsAny(word, "co"), !shell && strings.ContainsAny(word, "cemr"):
			// The next word is no script, or this is the text of one.
			return 0
		}
	}
	return 0
}

// unversioned returns the name of a program without a version, such as that of
// ksh93, zsh-5.9 and python3.12.
func unversioned(program string) string {
	return strings.TrimRight(path.Base(program), "0123456789.-")
}

// isShell reports whether a command is a shell, whatever it then runs.
func isShell(command []string) bool {
	if len(command) == 0 {
		return false
	}
	switch unversioned(command[0]) {
	case "sh", "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "lksh", "mksh", "nu", "oksh", "posh", "pwsh", "rbash",
		"sash", "static-sh", "tcsh", "xonsh", "yash", "zsh":
		return true
	}
	return false
}

// isInterpreter reports whether a command is a program that runs the script
// that its first argument names, and is interactive without.
func isInterpreter(command []string) bool {
	switch unversioned(command[0]) {
	case "python", "pypy", "perl", "ruby", "node", "irb", "lua", "luajit", "php":
		return true
	}
	return false
}
