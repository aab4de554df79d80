package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// target is a system and an architecture, as GOOS and GOARCH.
type target struct{ os, arch string }

// binary returns the name of the executable file.
func (t target) binary() string {
	if t.os == "windows" {
		return "caprun.exe"
	}
	return "caprun"
}

// build builds caprun for a target, as the Makefile does.
func (r release) build(t target, output string) error {
	flags := "-s -w"
	if r.commit != "" {
		flags += " -X caprun/internal/version.commit=" + r.commit
	}
	return goBuild(output, flags, "GOOS="+t.os, "GOARCH="+t.arch)
}

// goBuild builds caprun with flags of the linker. Settings of the caller that change the
// executable file have no effect.
func goBuild(output, flags string, env ...string) error {
	settings, err := buildSettings()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", output, "./cmd/caprun")
	cmd.Env = append(append(os.Environ(), settings...), env...)
	_, err = runCommand(cmd)
	return err
}

// keptSettings are the settings of the go command that say where modules and caches are.
var keptSettings = [...]string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOINSECURE", "GOTOOLCHAIN"}

// buildSettings returns the settings of a build as environment variables. An empty variable
// does not suffice: the go command would take the value from the file that go env -w writes.
func buildSettings() ([]string, error) {
	out, err := runCommand(exec.Command("go", append([]string{"env"}, keptSettings[:]...)...))
	if err != nil {
		return nil, err
	}
	settings := []string{"GOENV=off", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off"}
	values := strings.Split(string(out), "\n")
	for k, name := range keptSettings {
		settings = append(settings, name+"="+values[k])
	}
	return settings, nil
}

// completionFiles returns the completion scripts, which a caprun for this machine prints.
func completionFiles(dir string) ([]file, error) {
	program := filepath.Join(dir, "caprun")
	if err := goBuild(program, "-s -w"); err != nil {
		return nil, err
	}
	var files []file
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := runCommand(exec.Command(program, "completion", shell))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: "completion/caprun." + shell, mode: 0o644, data: script})
	}
	return files, nil
}

// runCommand runs a command and returns its standard output. The error has what the command
// wrote to its standard error.
func runCommand(cmd *exec.Cmd) ([]byte, error) {
	var messages bytes.Buffer
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, messages.Bytes())
	}
	return out, nil
}
