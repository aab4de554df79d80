package machine

// WritablePath is a file, directory or symbolic link on the way to the target or to its
// root directory that the target's user can change. With it the user can change what
// the next launch starts.
type WritablePath struct {
	Key    string // the profile key that names the way: command or chroot
	Path   string
	Reason string // why the user can change it, such as "is writable by everyone"
	Hint   string // what to do, mostly a shell command
}
