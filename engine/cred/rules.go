package cred

// Rules are the differences between the supported kernel versions. Use [Linux] for a
// version; set the fields for a kernel with a backported change. Values can be compared
// with ==. The zero value is the rules of Linux 5.8.
type Rules struct {
	// ExecSecurebits reports that securebits 8 to 11 exist, and that a task without
	// SETPCAP may change them. Since Linux 6.14.
	ExecSecurebits bool

	// EffectiveIDChange reports that exec compares the new effective IDs with the
	// old effective uid and the old groups, to decide whether the IDs changed. Older
	// kernels compare them with the old real IDs. Since Linux 6.17.
	EffectiveIDChange bool
}

// Linux returns the rules of a mainline version. For versions above 6.18, the newest one
// compared with a real kernel, it returns those of 6.18; for versions below 5.8, those of
// 5.8. Before 5.8 exec computed the credentials once for each interpreter, which the model
// does not describe.
func Linux(major, minor int) Rules {
	since := func(ma, mi int) bool { return major > ma || major == ma && minor >= mi }
	return Rules{
		ExecSecurebits:    since(6, 14),
		EffectiveIDChange: since(6, 17),
	}
}

// Latest returns the rules of Linux 6.18, the newest version that the model was compared
// with.
func Latest() Rules { return Linux(6, 18) }
