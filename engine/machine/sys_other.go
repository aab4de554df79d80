//go:build !linux

package machine

import (
	"io"
	"os"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// On other systems than Linux, plans can be made and printed but not executed.

// CurrentCred returns cap.ErrNotLinux.
func CurrentCred() (cred.Cred, error) { return cred.Cred{}, cap.ErrNotLinux }

// CurrentCredWithoutProc returns cap.ErrNotLinux.
func CurrentCredWithoutProc() (cred.Cred, error) { return cred.Cred{}, cap.ErrNotLinux }

// CurrentDeathSignal returns cap.ErrNotLinux.
func CurrentDeathSignal() (DeathSignal, error) { return DeathSignal{}, cap.ErrNotLinux }

// mayBeUnmapped returns false: there are no user namespaces.
func mayBeUnmapped(c cred.Cred) bool { return false }

// Tracer returns cap.ErrNotLinux.
func Tracer() (int, error) { return 0, cap.ErrNotLinux }

// KernelRules returns the newest rules.
func KernelRules() cred.Rules { return cred.Latest() }

// FindProgram returns cap.ErrNotLinux.
func FindProgram(p *policy.Profile, id Identity, as *Accessor, argv, env []string) (Program, error) {
	return Program{}, cap.ErrNotLinux
}

// CheckDirectories returns cap.ErrNotLinux.
func CheckDirectories(p *policy.Profile) error { return cap.ErrNotLinux }

// RestoreOpenFiles returns cap.ErrNotLinux.
func RestoreOpenFiles(p *policy.Profile) error { return cap.ErrNotLinux }

// ReadResources returns cap.ErrNotLinux.
func ReadResources(p *policy.Profile) (*Resources, error) { return nil, cap.ErrNotLinux }

// ReadLimits returns cap.ErrNotLinux.
func ReadLimits(p *policy.Profile) (*Resources, error) { return nil, cap.ErrNotLinux }

// ReadProcess returns cap.ErrNotLinux.
func ReadProcess(pid int) (*Process, error) { return nil, cap.ErrNotLinux }

// DirectoryID returns cap.ErrNotLinux.
func DirectoryID(path string) (FileID, error) { return FileID{}, cap.ErrNotLinux }

// WritablePathsToRoot returns cap.ErrNotLinux.
func WritablePathsToRoot(p *policy.Profile, id Identity) ([]WritablePath, error) {
	return nil, cap.ErrNotLinux
}

func readFile(path string, max int) ([]byte, error) { return nil, cap.ErrNotLinux }
func executable(path string) (bool, error)          { return false, cap.ErrNotLinux }
func statPath(path string) (fileState, error)       { return fileState{}, cap.ErrNotLinux }

// ReadTrusted returns the first max bytes of a file. It ignores strict: a system
// without launches needs no trusted files.
func ReadTrusted(path string, max int, strict bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(max)))
}
