package cap

// GetSecbits returns the securebits of the calling thread: prctl(2) PR_GET_SECUREBITS.
// It returns 0 if that fails.
func GetSecbits() Secbits {
	bits, err := getSecurebits()
	if err != nil {
		return 0
	}
	return bits
}

// Set sets the securebits of every thread to s: prctl(2) PR_SET_SECUREBITS. It raises
// CAP_SETPCAP, and leaves the effective set empty, even when it fails. The error is
// EPERM for a locked or unknown bit, or without a permitted CAP_SETPCAP.
func (s Secbits) Set() error {
	return change(func(sc scope) error { return sc.applySecbits(s) })
}

func (s scope) applySecbits(bits Secbits) error {
	return withEffective(s, SETPCAP, func() error { return s.setSecurebits(bits) })
}

// pure1E are the securebits of every mode except HYBRID. pure1EOld are those on a
// kernel without the ambient set.
const (
	pure1E = SecbitNoRoot | SecbitNoRootLocked | SecbitNoSetUIDFixup | SecbitNoSetUIDFixupLocked |
		SecbitKeepCapsLocked | SecbitNoCapAmbientRaise | SecbitNoCapAmbientRaiseLocked
	pure1EOld = pure1E &^ (SecbitNoCapAmbientRaise | SecbitNoCapAmbientRaiseLocked)
)

// secbits returns the securebits of m, or ErrBadMode.
func (m Mode) secbits() (Secbits, error) {
	switch m {
	case ModeHybrid:
		return 0, nil
	case ModePure1EInit, ModePure1E, ModeNoPriv:
		return pure1E, nil
	}
	return 0, ErrBadMode
}

// GetMode returns the mode of the calling thread. The result can be wrong: PURE1E with
// an empty inheritable set is reported as PURE1E_INIT, and no_new_privs is ignored.
func GetMode() Mode {
	bits := GetSecbits()
	if bits == 0 {
		return ModeHybrid
	}
	if bits&pure1EOld != pure1EOld {
		return ModeUncertain
	}
	if _, err := ambientHas(0); err == nil {
		if a, err := readAmbient(); err != nil || a != 0 || bits != pure1E {
			return ModeUncertain
		}
	}
	e, p, i, err := capget(0)
	if err != nil {
		return ModeUncertain
	}
	if i != 0 {
		return ModePure1E
	}
	if b, err := readBounding(); err != nil || b != 0 || p != 0 || e != 0 {
		return ModePure1EInit
	}
	return ModeNoPriv
}

// Set sets the mode of every thread to m. It raises CAP_SETPCAP, and leaves the
// effective set empty, even when it fails. A mode other than HYBRID locks its
// securebits, so the process cannot leave it. The error is ErrBadMode, or a
// syscall.Errno: EPERM without a permitted CAP_SETPCAP.
func (m Mode) Set() error {
	return change(func(s scope) error { return s.applyMode(m) })
}

func (s scope) applyMode(m Mode) error {
	return withEffective(s, SETPCAP, func() error {
		bits, err := m.secbits()
		if err != nil {
			return err
		}
		return s.enterMode(m, bits)
	})
}

// enterMode needs an effective CAP_SETPCAP.
func (s scope) enterMode(m Mode, bits Secbits) error {
	if m == ModeHybrid {
		return s.setSecurebits(bits)
	}
	if _, err := ambientHas(0); err != nil {
		bits = pure1EOld
	} else if err := resetAmbient(s); err != nil {
		return err
	}
	if err := s.setSecurebits(bits); err != nil {
		return err
	}
	if m == ModePure1E {
		return nil
	}
	e, p, _, err := capget(0)
	if err != nil {
		return err
	}
	if m == ModePure1EInit {
		return s.capset(e, p, 0)
	}
	for v := range MaxBits() {
		if err := s.boundingDrop(v); err != nil {
			return err
		}
	}
	if err := s.capset(0, 0, 0); err != nil {
		return err
	}
	return s.setNoNewPrivs()
}
