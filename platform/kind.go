package platform

import (
	"bytes"
	"errors"
	"path"
	"strings"

	"caprun/policy"
)

// A Kind is the format of a file.
type Kind int

const (
	// Profile is a profile of caprun.
	Profile Kind = iota

	// Systemd is a service unit: systemd.service(5).
	Systemd

	// Kubernetes is a manifest with pods, or with objects that make pods.
	Kubernetes

	// Compose is a file of docker compose or podman-compose.
	Compose

	// OCI is the config.json of the OCI runtime specification.
	OCI

	// CommandLine is a command line of setpriv(1), capsh(1), docker run or podman run.
	CommandLine
)

var kindNames = [...]string{"profile", "systemd", "kubernetes", "compose", "oci", "setpriv"}

// String returns the name of the kind, as the flag -kind has it.
func (k Kind) String() string { return kindNames[k] }

var kindTitles = [...]string{"a profile", "a systemd unit", "a Kubernetes manifest", "a compose file", "an OCI configuration", "a command line"}

// NotProfile returns the error for a file of the kind where a profile is required.
func (k Kind) NotProfile() error {
	return errors.New(kindTitles[k] + ", not a profile; caprun import prints its profile")
}

// Kinds returns the kinds of other platforms.
func Kinds() []Kind { return []Kind{Systemd, Kubernetes, Compose, OCI, CommandLine} }

// unitSuffix is the end of the name of a service unit.
const unitSuffix = ".service"

// IsUnit reports whether the name of a file is that of a service unit.
func IsUnit(name string) bool {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.HasSuffix(base, unitSuffix) && len(base) > len(unitSuffix)
}

// otherUnits are the ends of the names of units that start no process: systemd.unit(5).
var otherUnits = [...]string{".socket", ".timer", ".path", ".target", ".mount", ".automount", ".swap", ".slice", ".scope", ".device"}

// IsOtherUnit reports whether the name of a file is that of a unit that is not a service.
func IsOtherUnit(name string) bool {
	for _, suffix := range otherUnits {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// Detect returns the kind of a file. One with the name of a service unit, or of a drop-in,
// is a unit, whatever its text is: systemd reads it as one. Otherwise a text that package
// policy accepts as a profile is a profile, whatever else it resembles. A unit with another
// name is recognised by a line [Service], and the other formats by the keys of their top
// level. A command line is never recognised.
//
// The text can be the beginning of a file.
func Detect(name string, text []byte) Kind {
	if IsUnit(name) || IsDropIn(name) {
		return Systemd
	}
	kind := resembles(text)
	if kind != Profile {
		if p, _ := policy.Read("", text); p != nil {
			return Profile
		}
	}
	return kind
}

// resembles returns the kind that the lines of a text resemble.
func resembles(text []byte) Kind {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if rest := bytes.TrimLeft(text, " \t\r\n"); len(rest) > 0 && rest[0] == '{' {
		has := func(word string) bool { return bytes.Contains(rest, []byte(word)) }
		switch {
		case has(`"ociVersion"`):
			return OCI
		case has("apiVersion") && has("kind"):
			return Kubernetes
		case has("services"):
			return Compose
		}
		return Profile
	}
	var apiVersion, kind, services bool
	indent := -1 // of the top level
	for line := range bytes.Lines(text) {
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		if indent < 0 && isSignificant(line[spaces:]) {
			indent = spaces
		}
		if indent < 0 || spaces != indent {
			continue
		}
		switch string(topLevelKey(line[indent:])) {
		case "apiVersion":
			apiVersion = true
		case "kind":
			kind = true
		case "services":
			services = true
		case "[Service]":
			return Systemd
		}
	}
	switch {
	case apiVersion && kind:
		return Kubernetes
	case services:
		return Compose
	}
	return Profile
}

// isSignificant reports whether a line is neither empty nor a comment, a marker of a
// document or a directive.
func isSignificant(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r\n")
	return len(line) > 0 && line[0] != '#' && line[0] != '%' && !bytes.HasPrefix(line, []byte("---"))
}

// topLevelKey returns the key of a line that is not indented, without quotes, or the line
// of a section.
func topLevelKey(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("[")) {
		return bytes.TrimSpace(line)
	}
	key, _, found := bytes.Cut(line, []byte(":"))
	if !found {
		return nil
	}
	return bytes.Trim(bytes.TrimRight(key, " \t"), `"'`)
}
