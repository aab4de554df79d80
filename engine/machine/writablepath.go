package machine

// An Exposure is something on the way to the target or to its root directory
// that the target's user could change, and with it what runs next time.
type Exposure struct {
	Key    string // of the profile: command or chroot
	Path   string
	Reason string
	Hint   string // the command that mends it
}
