package compare

import "caprun/engine/cred"

// reachableCaps returns every capability that a task, and the programs that it executes, can gain
// in its user namespace. Set-user-ID programs and file capabilities grant only what is in
// the bounding and inheritable sets, and the inheritable set can only grow within the
// bounding set. Under no_new_privs nothing exceeds the permitted set.
func reachableCaps(c cred.Cred) cred.Caps {
	if c.NoNewPrivs {
		return c.Permitted
	}
	return c.Permitted.Union(c.Bounding).Union(c.Inheritable)
}

// compareSecurebits compares each bit together with its lock.
func compareSecurebits(old, new cred.Cred) Difference {
	x, y := old.Securebits, new.Securebits
	d := Difference{Dimension: Securebits, Old: Bits(x), New: Bits(y)}
	for bit := cred.Securebits(1); cred.SecAllBits&^(bit-1) != 0; bit <<= 2 {
		switch irrelevantOld, irrelevantNew := fixupIrrelevant(old), fixupIrrelevant(new); {
		case bit == cred.SecNoSetuidFixup && irrelevantOld != irrelevantNew:
			d.Order = d.Order.and(within(irrelevantOld, irrelevantNew))
		case bit == cred.SecNoSetuidFixup && !irrelevantOld, bit == cred.SecKeepCaps:
			d.Order = d.Order.and(orderAmbiguousBit(x, y, bit))
		default:
			d.Order = d.Order.and(orderRestrictingBit(x, y, bit))
		}
	}
	if known := cred.SecAllBits | cred.SecAllLocks; d.Order == Same && x&^known != y&^known {
		d.Order = Incomparable
	}
	return d
}

// fixupIrrelevant reports whether no_setuid_fixup makes no difference: the task cannot change
// between uid 0 and other uids, or has and gains no capability that this affects.
func fixupIrrelevant(c cred.Cred) bool {
	gain := reachableCaps(c)
	root := c.UID == 0
	same := (c.EUID == 0) == root && (c.SUID == 0) == root && (c.FSUID == 0) == root
	return gain == 0 || c.NoNewPrivs && !gain.Has(cred.SETUID) && same
}

// orderRestrictingBit compares a securebit that takes a privilege away, and its lock, the next
// bit. The lock without the bit keeps the bit clear; it is not comparable with any other
// state.
func orderRestrictingBit(old, new, bit cred.Securebits) Order {
	if level := bit | bit<<1; old&level == new&level {
		return Same
	} else if lock := bit << 1; old&level == lock || new&level == lock {
		return Incomparable
	}
	return within(old&(bit<<1) != 0 || new&bit == 0, new&(bit<<1) != 0 || old&bit == 0)
}

// orderAmbiguousBit compares a securebit that may grant privileges or take them away: only
// its lock has an order.
func orderAmbiguousBit(old, new, bit cred.Securebits) Order {
	if old&bit != new&bit {
		return Incomparable
	}
	lock := bit << 1
	return within(old&lock != 0 || new&lock == 0, new&lock != 0 || old&lock == 0)
}
