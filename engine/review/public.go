package review

import (
	"path"
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// publicDirectories are world-writable. The sticky bit protects an existing file;
// it does not keep another user from creating the file first.
var publicDirectories = [...]string{"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/lock"}

// publicParent returns the public directory that contains a path, or "".
func publicParent(name string) string {
	if !strings.HasPrefix(name, "/") {
		return ""
	}
	name = path.Clean(name)
	for _, dir := range publicDirectories {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			return dir
		}
	}
	return ""
}

// publicDirectory reports a program, a root directory or a variable that names code
// in a public directory.
func publicDirectory(p *engine.Plan, report func(policy.Position, string, string)) {
	chroot := strings.TrimSuffix(p.Profile.Chroot, "/")
	if dir := publicParent(chroot); dir != "" {
		report(p.Profile.Position("chroot"), "the root directory is in "+dir+", where another user can create it first",
			"use a directory that only root can write, for example below /srv or /var/lib")
	}
	if chroot == "" {
		publicProgram(p, report)
	}
	if p.Profile.Env == nil || chroot != "" {
		return
	}
	for name, value := range p.Profile.Env.Set {
		reported := p.AfterExec.Permitted != 0 && !p.SecureExec && loaderAlternative(name) != "" // by loader-variable
		if reported || name != "PATH" && !selectsCode(name) && loaderAlternative(name) == "" {
			continue
		}
		if dir := publicDirectoryIn(p.Profile, name, value); dir != "" {
			report(p.Profile.Position("env.set."+name), name+" makes the target run code from "+dir+", where every user can create files",
				"use a directory that only root can write, for example /usr/local or /opt")
		}
	}
}

// publicProgram checks the program, and the script of an interpreter.
func publicProgram(p *engine.Plan, report func(policy.Position, string, string)) {
	const hint = "use a directory that only root can write, for example /usr/local or /opt"
	in := func(word string) string {
		if p.Profile.Cwd != "" && !strings.HasPrefix(word, "/") && strings.Contains(word, "/") {
			word = path.Join(p.Profile.Cwd, word)
		}
		return publicParent(word)
	}
	command, at := innerCommand(p.Profile.Command)
	if len(command) == 0 {
		return
	}
	if dir := in(command[0]); dir != "" {
		report(argumentPosition(p, at), "the program is in "+dir+", where another user can create it first", hint)
		return
	}
	n := scriptOf(command)
	if dir := in(command[n]); n > 0 && dir != "" {
		report(argumentPosition(p, min(at+n, len(p.Profile.Command)-1)), "the script is in "+dir+", where another user can create it first", hint)
	}
}

// publicDirectoryIn returns the public directory that the value of a variable names.
// A relative entry of PATH is below the working directory.
func publicDirectoryIn(p *policy.Profile, name, value string) string {
	if name == "PATH" && hasRelative(value) {
		if dir := publicParent(p.Cwd); dir != "" {
			return dir
		}
	}
	for _, dir := range publicDirectories {
		if !strings.Contains(value, path.Base(dir)) {
			continue
		}
		for _, part := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(":;,= \t\"'", c) }) {
			// RUBYOPT=-r/path
			if publicParent(strings.TrimPrefix(part, "-r")) == dir {
				return dir
			}
		}
	}
	return ""
}

// hasRelative reports whether a PATH has an empty or relative entry.
func hasRelative(value string) bool {
	for dir := range strings.SplitSeq(value, ":") {
		if !strings.HasPrefix(dir, "/") {
			return value != ""
		}
	}
	return false
}
