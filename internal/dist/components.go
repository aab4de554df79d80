package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
)

// toolModule pins the versions of the tools.
const toolModule = "-modfile=internal/tools/go.mod"

// components returns the list of components of a binary: CycloneDX, in JSON.
//
// cyclonedx-gomod reads the modules from the binary. Its detection of licences takes the
// BSD licence of x/sys for another one, so the licences are those of this package. It also
// writes the checksums of its own executable file, which depend on the machine that built
// it: they are removed. It leaves the standard library out of what the program depends on.
func (r release) components(binary string, licences []licence) ([]byte, error) {
	text, err := runCommand(exec.Command("go", "tool", toolModule, "cyclonedx-gomod", "bin", "-json", "-noserial", "-notimestamp", "-std",
		"-version", "v"+r.version, binary))
	if err != nil {
		return nil, err
	}
	return cleanComponents(text, licences)
}

// cleanComponents removes what depends on the machine, and adds the licences. The program
// depends on every component.
func cleanComponents(text []byte, licences []licence) ([]byte, error) {
	var list map[string]any
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("the output of cyclonedx-gomod: %w", err)
	}
	metadata, _ := list["metadata"].(map[string]any)
	tools, _ := metadata["tools"].([]any)
	main, _ := metadata["component"].(map[string]any)
	parts, _ := list["components"].([]any)
	dependencies, _ := list["dependencies"].([]any)
	if len(tools) == 0 || main == nil || len(parts) == 0 {
		return nil, fmt.Errorf("the output of cyclonedx-gomod: %d tools and %d components", len(tools), len(parts))
	}
	for _, tool := range tools {
		if tool, ok := tool.(map[string]any); ok {
			delete(tool, "hashes")
		}
	}
	main["licenses"] = licenceOf("BSD-3-Clause")
	refs := make([]any, 0, len(parts))
	for _, part := range parts {
		part, _ := part.(map[string]any)
		refs = append(refs, part["bom-ref"])
		name, _ := part["name"].(string)
		l, err := findLicence(licences, name)
		if err != nil {
			return nil, err
		}
		part["licenses"] = licenceOf(l.id)
	}
	found := false
	for _, d := range dependencies {
		if d, ok := d.(map[string]any); ok && d["ref"] == main["bom-ref"] {
			d["dependsOn"], found = refs, true
		}
	}
	if !found {
		return nil, errors.New("the output of cyclonedx-gomod: no dependencies of the program")
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(list)
	return out.Bytes(), err
}

// licenceOf returns the value of the key licenses: an SPDX expression.
func licenceOf(expression string) any {
	return []any{map[string]any{"expression": expression}}
}
