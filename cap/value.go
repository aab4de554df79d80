package cap

import (
	"strconv"

	"caprun/internal/capset"
)

// A Value is the number of a capability in the kernel: 0 to 63. A Set or an IAB can also
// hold the numbers from MaxBits on, which the running kernel does not use.
type Value uint

// The capabilities that have names, with the numbers of linux/capability.h. Description
// says what each permits; see capabilities(7) for details.
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

// NamedCount is the number of capabilities with a name in this package. The running
// kernel may have more or fewer: see MaxBits.
const NamedCount = capset.NamedCount

// valueLimit is the number of bits of a flag or vector. It is the first Value that is
// out of range.
const valueLimit Value = 64

// String returns the name of v, such as "cap_chown", or its decimal number if it has no
// name.
func (v Value) String() string { return capset.Name(int(v)) }

// Description returns a sentence that says what v permits, or an empty string if v has
// no name.
func (v Value) Description() string { return capset.Description(int(v)) }

// FromName returns the capability with this name: a lower-case name, such as
// "cap_chown", or a decimal number from 0 to 63, which may have a sign and leading
// zeros. The error is ErrBadValue for a number that is out of range, and a
// *strconv.NumError for any other text, and for a number that does not fit in an int.
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

// The reasons why a word is not a capability.
const (
	notNamed   = "unknown capability"
	notInRange = "invalid number: want 0 to 63"
)

// parseValue reads a name or number as FromName does. reason is empty if it is valid.
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
		// A number that is out of range does not grow, so it cannot overflow.
		if v < valueLimit {
			v = v*10 + Value(digits[i]-'0')
		}
	}
	if v >= valueLimit || negative && v != 0 {
		return 0, notInRange
	}
	return v, ""
}
