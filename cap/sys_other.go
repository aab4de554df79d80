//go:build !linux

package cap

// On other systems this package can read, print and compare sets and tuples. Every
// function that makes a system call returns ErrNotLinux.

const (
	thisThread scope = false
	allThreads scope = true
)

type scope bool

func (scope) capset(e, p, i Mask) error                        { return ErrNotLinux }
func (scope) boundingDrop(v Value) error                       { return ErrNotLinux }
func (scope) ambientRaise(v Value) error                       { return ErrNotLinux }
func (scope) ambientLower(v Value) error                       { return ErrNotLinux }
func (scope) ambientClear() error                              { return ErrNotLinux }
func (scope) setSecurebits(bits Secbits) error                 { return ErrNotLinux }
func (scope) setKeepCaps(on bool) error                        { return ErrNotLinux }
func (scope) setNoNewPrivs() error                             { return ErrNotLinux }
func (scope) setuids(uid uint32) error                         { return ErrNotLinux }
func (scope) setgids(gid uint32) error                         { return ErrNotLinux }
func (scope) setgroups(groups []uint32) error                  { return ErrNotLinux }
func (scope) prctl6(option uintptr, a [5]uintptr) (int, error) { return -1, ErrNotLinux }
func capget(pid int) (e, p, i Mask, err error)                 { return 0, 0, 0, ErrNotLinux }
func boundingHas(v Value) (bool, error)                        { return false, ErrNotLinux }
func ambientHas(v Value) (bool, error)                         { return false, ErrNotLinux }
func getSecurebits() (Secbits, error)                          { return 0, ErrNotLinux }
func getNoNewPrivs() (bool, error)                             { return false, ErrNotLinux }
func getuids() (ids [4]uint32, err error)                      { return ids, ErrNotLinux }
func getgids() (ids [4]uint32, err error)                      { return ids, ErrNotLinux }
func getgroups() ([]uint32, error)                             { return nil, ErrNotLinux }
func readOverflowIDs()                                         {}
func mayBeUnmappedUID(uid uint32) bool                         { return false }
func mayBeUnmappedGID(gid uint32) bool                         { return false }
func closeOnExecRange(first, last int) error                   { return ErrNotLinux }
func chroot(path string) error                                 { return ErrNotLinux }
func chdir(path string) error                                  { return ErrNotLinux }
func umask(mask uint32) uint32                                 { return 0 }
func getrlimit(resource int) (soft, hard uint64, err error)    { return 0, 0, ErrNotLinux }
func setrlimit(resource int, soft, hard uint64) error          { return ErrNotLinux }
func execve(path string, args, env []string) error             { return ErrNotLinux }
func checkCloseOnExec(keep []int) error                        { return ErrNotLinux }
func openDirectory(path string) (int, error)                   { return -1, ErrNotLinux }
func closeDescriptor(fd int)                                   {}
func isDirectory(path string, fd int) error                    { return ErrNotLinux }
func setDeathSignal(signal int) error                          { return ErrNotLinux }
func getDeathSignal() (int, error)                             { return 0, ErrNotLinux }
func getppid() int                                             { return 0 }
func executeSession(_ *Step, fail failFunc) error              { return fail("setsid", ErrNotLinux) }
func executeKeyring(_ *Step, fail failFunc) error              { return fail("keyctl", ErrNotLinux) }
func gettid() int                                              { return 0 }
func (c *launchConfig) launch(data any) (int, error)           { return -1, ErrNotLinux }

const maxDescriptor = 1<<31 - 1

func readFileCaps(path string) ([]byte, error)      { return nil, ErrNotLinux }
func writeFileCaps(path string, data []byte) error  { return ErrNotLinux }
func readDescriptorCaps(fd int) ([]byte, error)     { return nil, ErrNotLinux }
func writeDescriptorCaps(fd int, data []byte) error { return ErrNotLinux }

// GetKeyAccess returns KeysUnreachable: other systems have no such keys.
func GetKeyAccess() KeyAccess { return KeysUnreachable }
