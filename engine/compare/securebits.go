package compare

import "caprun/engine/cred"

// reach returns every capability that a task, and the programs that it executes,
// can come to hold by whatever means in its user namespace. Set-user-ID programs
// and file capabilities give what the bounding and inheritable sets allow, and
// inheritable can only grow within the bounding set; under no_new_privs nothing
// ever exceeds the permitted set.
func reach(c cred.Cred) cred.Caps {
	if c.NoNewPrivs {
		return c.Permitted
	}
	return c.Permitted.Union(c.Bounding).Union(c.Inheritable)
}

// compareSecurebits compares each bit with its lock: a bit that takes something
// away allows less, and less still when nothing can clear it.
func compareSecurebits(old, new cred.Cred) Difference {
	x, y := old.Securebits, new.Securebits
	d := Difference{Dimension: Securebits, Old: Bits(x), New: Bits(y)}
	for bit := cred.Securebits(1); cred.SecAllBits&^(bit-1) != 0; bit <<= 2 {
		switch fixedOld, fixedNew := userFixed(old), userFixed(new); {
		case bit == cred.SecNoSetuidFixup && fixedOld != fixedNew:
			d.Order = d.Order.and(within(fixedOld, fixedNew))
		case bit == cred.SecNoSetuidFixup && !fixedOld, bit == cred.SecKeepCaps:
			d.Order = d.Order.and(orderEitherBit(x, y, bit))
		default:
			d.Order = d.Order.and(orderLessBit(x, y, bit))
		}
	}
	if known := cred.SecAllBits | cred.SecAllLocks; d.Order == Same && x&^known != y&^known {
		d.Order = Incomparable
	}
	return d
}

// userFixed reports whether no change of user between 0 and others can happen any
// more, or none that touches a capability: what no_setuid_fixup is about.
func userFixed(c cred.Cred) bool {
	gain := reach(c)
	root := c.UID == 0
	same := (c.EUID == 0) == root && (c.SUID == 0) == root && (c.FSUID == 0) == root
	return gain == 0 || c.NoNewPrivs && !gain.Has(cred.SETUID) && same
}

// orderLessBit compares a securebit that takes something away, and its lock, the
// next bit. The lock without the bit keeps the bit clear permanently, which is neither
// less nor more than any other state.
func orderLessBit(old, new, bit cred.Securebits) Order {
	if level := bit | bit<<1; old&level == new&level {
		return Same
	} else if lock := bit << 1; old&level == lock || new&level == lock {
		return Incomparable
	}
	return within(old&(bit<<1) != 0 || new&bit == 0, new&(bit<<1) != 0 || old&bit == 0)
}

// orderEitherBit compares a securebit of which nobody can say whether it gives or
// takes: only its lock has an order.
func orderEitherBit(old, new, bit cred.Securebits) Order {
	if old&bit != new&bit {
		return Incomparable
	}
	lock := bit << 1
	return within(old&lock != 0 || new&lock == 0, new&lock != 0 || old&lock == 0)
}
