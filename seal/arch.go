package seal

import (
	"fmt"
	"runtime"

	"caprun/seal/internal/amd64"
	"caprun/seal/internal/arm64"
	"caprun/seal/internal/image"
	"caprun/seal/internal/launcher"
	"caprun/seal/internal/op"
)

// Arch is the architecture of a launcher. The zero value is not one.
type Arch uint8

// The architectures.
const (
	AMD64 Arch = iota + 1
	ARM64
)

// archTable has what is known of each architecture.
var archTable = [...]struct {
	name     string
	machine  image.Machine
	assemble func(p *op.Program, base uint64) ([]byte, error)
}{
	AMD64: {"amd64", image.AMD64, amd64.Assemble},
	ARM64: {"arm64", image.ARM64, arm64.Assemble},
}

// Archs returns the architectures.
func Archs() []Arch { return []Arch{AMD64, ARM64} }

// String returns the name that Go and container images have for the architecture.
func (a Arch) String() string {
	if !a.isKnown() {
		return fmt.Sprintf("architecture %d", uint8(a))
	}
	return archTable[a].name
}

func (a Arch) isKnown() bool { return a > 0 && int(a) < len(archTable) }

// formats returns the ELF files that the kernel executes without binfmt_misc: a kernel can
// lack the support for others.
func (a Arch) formats() []launcher.Format {
	const class64 = 2
	return []launcher.Format{{Class: class64, Machine: uint16(archTable[a].machine)}}
}

// ParseArch returns the architecture with this name.
func ParseArch(name string) (Arch, error) {
	for _, a := range Archs() {
		if a.String() == name {
			return a, nil
		}
	}
	return 0, fmt.Errorf("unknown architecture %q", name)
}

// DefaultArch returns the architecture of this program, and AMD64 if launchers cannot
// have it.
func DefaultArch() Arch {
	if a, err := ParseArch(runtime.GOARCH); err == nil {
		return a
	}
	return AMD64
}

// archOf returns the architecture of a machine that package image knows.
func archOf(m image.Machine) Arch {
	for _, a := range Archs() {
		if archTable[a].machine == m {
			return a
		}
	}
	return 0
}
