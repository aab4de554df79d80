package machine

// A WritablePath is a file, directory or link on the way to the target or to its
// root directory that the target's user could change, and with it what runs next
// time.
type WritablePath struct {
	Key    string // of the profile: command or chroot
	Path   string
	Reason string
	Hint   string // the command that fixes it
}
