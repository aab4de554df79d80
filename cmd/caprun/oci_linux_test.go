package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"caprun/internal/test/platforms"
)

// ociRuntime starts containers from configurations.
type ociRuntime struct{ platforms.Runtime }

// newRuntime finds a runtime, or skips the test. The runtime keeps its state in dir.
func newRuntime(t *testing.T, name, dir string) ociRuntime {
	t.Helper()
	return ociRuntime{platforms.NewRuntime(t, name, dir)}
}

// ociConfig has the parts of a config.json that these tests need.
type ociConfig struct {
	Version string     `json:"ociVersion"`
	Root    ociRoot    `json:"root"`
	Mounts  []ociMount `json:"mounts"`
	Process ociProcess `json:"process"`
	Linux   ociLinux   `json:"linux"`
}

type ociRoot struct {
	Path     string `json:"path"`
	Readonly bool   `json:"readonly"`
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

type ociProcess struct {
	User            ociUser  `json:"user"`
	Args            []string `json:"args"`
	Env             []string `json:"env"`
	Cwd             string   `json:"cwd"`
	Capabilities    ociCaps  `json:"capabilities"`
	NoNewPrivileges bool     `json:"noNewPrivileges"`
	Misspelled      bool     `json:"noNewPrivilege,omitempty"`
}

type ociUser struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"additionalGids,omitempty"`
}

// ociCaps are capability sets, with names such as CAP_KILL.
type ociCaps struct {
	Bounding    []string `json:"bounding"`
	Effective   []string `json:"effective"`
	Permitted   []string `json:"permitted"`
	Inheritable []string `json:"inheritable,omitempty"`
	Ambient     []string `json:"ambient,omitempty"`
}

type ociLinux struct {
	Namespaces  []ociNamespace `json:"namespaces"`
	UIDMappings []ociMapping   `json:"uidMappings,omitempty"`
	GIDMappings []ociMapping   `json:"gidMappings,omitempty"`
}

type ociNamespace struct {
	Type string `json:"type"`
}

type ociMapping struct {
	ContainerID uint32 `json:"containerID"`
	HostID      uint32 `json:"hostID"`
	Size        uint32 `json:"size"`
}

// mappedRoot is the uid to which a user namespace maps uid 0.
const mappedRoot = 100000

// run runs a container until it ends.
func (r ociRuntime) run(t *testing.T, c ociConfig) platforms.Container {
	t.Helper()
	return r.Run(t, bundleOf(t, c))
}

// start returns the command that runs a container, and the file for its process ID. The
// container is deleted at the end of the test.
func (r ociRuntime) start(t *testing.T, c ociConfig) (cmd *exec.Cmd, pidFile string) {
	t.Helper()
	return r.Start(t, bundleOf(t, c))
}

// bundleOf writes the bundle of a container.
func bundleOf(t *testing.T, c ociConfig) string {
	t.Helper()
	bundle := t.TempDir()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bundle, "config.json"), text, 0o600)
	return bundle
}
