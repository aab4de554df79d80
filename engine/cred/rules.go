package cred

// Rules are the points in which supported kernels differ. A value may come
// from [Linux] for a version, or be put together by hand for a kernel that
// carries a later change. Rules are compared with ==. The zero value describes
// Linux 5.8.
type Rules struct {
	// ExecSecurebits says that securebits 8 to 11 exist, and that a task
	// without SETPCAP may change them. Since Linux 6.14.
	ExecSecurebits bool

	// EffectiveIDChange says that exec compares the new effective ids with
	// the old effective uid and with the groups that the task is in, to
	// decide whether the ids changed. Kernels without it compare them with
	// the old real ids. Since Linux 6.17.
	EffectiveIDChange bool
}

// Linux returns the rules of a mainline release. Versions above 6.18, the
// last one compared with a real kernel, get the rules of 6.18. Versions below
// 5.8 get the rules of 5.8: until then exec computed credentials again for each
// interpreter, which this package does not describe.
func Linux(major, minor int) Rules {
	since := func(ma, mi int) bool { return major > ma || major == ma && minor >= mi }
	return Rules{
		ExecSecurebits:    since(6, 14),
		EffectiveIDChange: since(6, 17),
	}
}

// Latest returns the rules of the newest kernel that this package knows.
func Latest() Rules { return Linux(6, 18) }
