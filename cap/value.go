package cap

import (
	"strconv"

	"caprun/internal/capset"
)

// Value is a capability, by its number in the kernel: 0 to 63. A number at or
// above MaxBits can be held in a Set or an IAB, but the running kernel gives
// it no meaning.
type Value uint

// The capabilities that have names, numbered as in linux/capability.h.
// Description says what each permits; capabilities(7) says it at length.
const (
	CHOWN Value = iota
	DAC_OVERRIDE
	DAC_READ_SEARCH
	FOWNER
	FSETID
	KILL
	SETGID
	SETUID
	SETPCAP
	LINUX_IMMUTABLE
	NET_BIND_SERVICE
	NET_BROADCAST
	NET_ADMIN
	NET_RAW
	IPC_LOCK
	IPC_OWNER
	SYS_MODULE
	SYS_RAWIO
	SYS_CHROOT
	SYS_PTRACE
	SYS_PACCT
	SYS_ADMIN
	SYS_BOOT
	SYS_NICE
	SYS_RESOURCE
	SYS_TIME
	SYS_TTY_CONFIG
	MKNOD
	LEASE
	AUDIT_WRITE
	AUDIT_CONTROL
	SETFCAP
	MAC_OVERRIDE
	MAC_ADMIN
	SYSLOG
	WAKE_ALARM
	BLOCK_SUSPEND
	AUDIT_READ
	PERFMON
	BPF
	CHECKPOINT_RESTORE
)

// NamedCount is the number of capabilities that have a name here. A running
// kernel may have more or fewer: see MaxBits.
const NamedCount = capset.NamedCount

// valueLimit is the number of bits in a flag or a vector: the first Value that
// is out of range.
const valueLimit Value = 64

// String returns the name of v, such as "cap_chown", or its decimal number if
// it has no name.
func (v Value) String() string { return capset.Name(int(v)) }

// Description says in one sentence what v permits. It is empty for a Value
// without a name.
func (v Value) Description() string { return capset.Description(int(v)) }

// FromName returns the capability that is called name: a lower-case name, such
// as "cap_chown", or a decimal number from 0 to 63, with or without a sign and
// leading zeros. The error is ErrBadValue for a number out of range, and a
// *strconv.NumError for what is neither, or does not fit in an int.
func FromName(name string) (Value, error) {
	v, reason := parseValue(name)
	if reason == "" {
		return v, nil
	}
	if _, err := strconv.Atoi(name); err != nil {
		return 0, err
	}
	return 0, ErrBadValue
}

// The reasons of a word that is no capability.
const (
	notNamed   = "no capability has this name"
	notInRange = "a capability's number is 0 to 63"
)

// parseValue reads a name or number as FromName does. The reason is empty if
// it is good.
func parseValue(name string) (v Value, reason string) {
	digits, negative := name, false
	if name != "" && (name[0] == '+' || name[0] == '-') {
		digits, negative = name[1:], name[0] == '-'
	}
	if digits == "" || digits[0]-'0' > 9 {
		if n, ok := capset.Find(name); ok {
			return Value(n), ""
		}
		return 0, notNamed
	}
	for i := range len(digits) {
		if digits[i]-'0' > 9 {
			return 0, notNamed
		}
		// Once out of range it stays there, and cannot overflow.
		if v < valueLimit {
			v = v*10 + Value(digits[i]-'0')
		}
	}
	if v >= valueLimit || negative && v != 0 {
		return 0, notInRange
	}
	return v, ""
}
