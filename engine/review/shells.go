package review

import (
	"path"
	"strings"
)

// scriptOf returns the index of the script of a shell or interpreter in a command,
// 0 if there is none.
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
			// The text of a script or a module, not a file.
			return 0
		}
	}
	return 0
}

// unversioned returns the name of a program without a version, for example python
// for python3.12.
func unversioned(program string) string {
	return strings.TrimRight(path.Base(program), "0123456789.-")
}

// isShell reports whether the program of a command is a shell.
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

// isInterpreter reports whether a command is a program that runs the script named
// by its first argument, and is interactive without one.
func isInterpreter(command []string) bool {
	switch unversioned(command[0]) {
	case "python", "pypy", "perl", "ruby", "node", "irb", "lua", "luajit", "php":
		return true
	}
	return false
}
