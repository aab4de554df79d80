package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/version"
	"caprun/schema"
	"caprun/seal"
)

// profileFormat is the only version of the profile format.
const profileFormat = 1

// versionForm is the form that prints the version.
func versionForm() *form {
	var json bool
	return &form{
		name: "version", about: "print the version and what it supports",
		flags: []*formFlag{formatFlag(&json)},
		run:   func(c *Command, _ []string) int { return c.version(json) },
	}
}

// versionReport is what version prints, in JSON form.
type versionReport struct {
	Format        int      `json:"version"` // of the JSON outputs: render.FormatVersion
	Caprun        string   `json:"caprun"`
	Commit        *string  `json:"commit"`   // null if unknown
	Modified      bool     `json:"modified"` // whether files differed from the commit
	Go            string   `json:"go"`
	System        string   `json:"os"`
	Architecture  string   `json:"arch"`
	Build         []string `json:"build"` // as CGO_ENABLED=0
	ProfileFormat int      `json:"profile_format"`
	Schema        string   `json:"schema"` // the $id
	SchemaSHA256  string   `json:"schema_sha256"`
	Generator     int      `json:"generator"` // of sealed launchers
	Capabilities  int      `json:"capabilities"`
	LastCap       string   `json:"last_capability"`
	OldestKernel  string   `json:"oldest_kernel"`
	Compared      []string `json:"compared_kernels"`
}

// buildSettings are the settings of a build that change the executable file, in the order
// of the output. Others, as -ldflags, can have paths of the machine that built it.
var buildSettings = [...]string{"CGO_ENABLED", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "-race", "-tags", "-trimpath"}

// readVersion describes this executable file.
func readVersion() versionReport {
	sum := sha256.Sum256(schema.JSON())
	v := versionReport{
		Format: render.FormatVersion, Caprun: version.String(),
		Go: runtime.Version(), System: runtime.GOOS, Architecture: runtime.GOARCH, Build: []string{},
		ProfileFormat: profileFormat, Schema: schema.ID, SchemaSHA256: hex.EncodeToString(sum[:]), Generator: seal.GeneratorVersion,
		Capabilities: cap.NamedCount, LastCap: cap.Value(cap.NamedCount - 1).String(), OldestKernel: engine.OldestKernel().String(),
	}
	hash, modified := version.Commit()
	if hash != version.Unknown {
		v.Commit, v.Modified = &hash, modified
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, key := range buildSettings {
			for _, s := range info.Settings {
				if s.Key == key {
					v.Build = append(v.Build, key+"="+s.Value)
				}
			}
		}
	}
	for _, k := range engine.ComparedKernels() {
		v.Compared = append(v.Compared, k.String())
	}
	return v
}

// text returns the report for people. The first line begins with the version, the version
// of Go, and the system.
func (v versionReport) text() string {
	commit := version.Unknown
	if v.Commit != nil {
		commit = *v.Commit
	}
	if v.Modified {
		commit += ", modified"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "caprun %s %s %s/%s\n", v.Caprun, v.Go, v.System, v.Architecture)
	for _, line := range [...][2]string{
		{"commit", commit},
		{"built with", strings.Join(v.Build, " ")},
		{"profile format", fmt.Sprint(v.ProfileFormat)},
		{"schema", v.Schema + ", SHA-256 " + v.SchemaSHA256},
		{"JSON output", fmt.Sprintf("version %d", v.Format)},
		{"launchers", fmt.Sprintf("generator %d", v.Generator)},
		{"capabilities", fmt.Sprintf("%d; the last is %s, number %d", v.Capabilities, v.LastCap, v.Capabilities-1)},
		{"kernels", fmt.Sprintf("Linux %s and later; model compared with %s", v.OldestKernel, strings.Join(v.Compared, ", "))},
	} {
		fmt.Fprintf(&b, "  %-16s%s\n", line[0], line[1])
	}
	return b.String()
}

// version prints the version.
func (c *Command) version(json bool) int {
	v := readVersion()
	if !json {
		return c.print(v.text())
	}
	if err := render.JSON(c.Stdout, v); err != nil {
		return c.fail(err)
	}
	return exitOK
}
