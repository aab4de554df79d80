//go:build !linux

package engine

import (
	"io"
	"os"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// Elsewhere plans can be made and read, and not carried out.

// Current returns cap.ErrNotLinux.
func Current() (cred.Cred, error) { return cred.Cred{}, cap.ErrNotLinux }

// CurrentDeathSignal returns cap.ErrNotLinux.
func CurrentDeathSignal() (DeathSignal, error) { return DeathSignal{}, cap.ErrNotLinux }

// KernelRules returns the newest rules.
func KernelRules() cred.Rules { return cred.Latest() }

// FindTarget returns cap.ErrNotLinux.
func FindTarget(p *policy.Profile, id Identity, argv, env []string) (Target, error) {
	return Target{}, cap.ErrNotLinux
}

func findTarget(p *policy.Profile, id Identity, as *accessor, argv, env []string) (Target, error) {
	return Target{}, cap.ErrNotLinux
}

// ReadSurroundings returns cap.ErrNotLinux.
func ReadSurroundings(p *policy.Profile) (*Surroundings, error) { return nil, cap.ErrNotLinux }

func readSurroundings(p *policy.Profile) (*Surroundings, error) { return nil, cap.ErrNotLinux }
func readLimits(p *policy.Profile) (*Surroundings, error)       { return nil, cap.ErrNotLinux }

// ReadProcess returns cap.ErrNotLinux.
func ReadProcess(pid int) (*Process, error) { return nil, cap.ErrNotLinux }

// RootDirectory returns cap.ErrNotLinux.
func RootDirectory(path string) (Directory, error) { return Directory{}, cap.ErrNotLinux }

func exposedPlaces(p *policy.Profile, id Identity) ([]Exposure, error) { return nil, cap.ErrNotLinux }

func readCred() (cred.Cred, error)                  { return cred.Cred{}, cap.ErrNotLinux }
func tracer() (int, error)                          { return 0, cap.ErrNotLinux }
func readFile(path string, max int) ([]byte, error) { return nil, cap.ErrNotLinux }
func executable(path string) (bool, error)          { return false, cap.ErrNotLinux }
func lookAt(path string) (sight, error)             { return sight{}, cap.ErrNotLinux }

// ReadTrusted reads the first max bytes of a file. Whose it is does not matter
// where nothing is launched.
func ReadTrusted(path string, max int, strict bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(max)))
}
