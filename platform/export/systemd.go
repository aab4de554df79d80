package export

import (
	"fmt"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// unitBits are the securebits that SecureBits= can set, with their names there.
var unitBits = [...]struct {
	bit  cred.Securebits
	name string
}{
	{cred.SecKeepCaps, "keep-caps"},
	{cred.SecKeepCapsLocked, "keep-caps-locked"},
	{cred.SecNoSetuidFixup, "no-setuid-fixup"},
	{cred.SecNoSetuidFixupLocked, "no-setuid-fixup-locked"},
	{cred.SecNoRoot, "noroot"},
	{cred.SecNoRootLocked, "noroot-locked"},
}

// Systemd returns a unit of the type service that starts the program with the privileges of
// a plan, see systemd.exec(5). name is that of the unit, for its description. The error is an
// [*Error].
func Systemd(p *engine.Plan, name string) (*Result, error) {
	w := &unit{writer: writer{Plan: p}}
	w.line("# Written by caprun. systemd starts the program with the privileges of the profile.")
	w.line("[Unit]")
	w.set("Description", unitName(w.name(name)))
	w.line("")
	w.line("[Service]")
	w.set("Type", "exec")
	w.execStart()
	if err := w.identity(); err != nil {
		return nil, err
	}
	w.privileges()
	if err := w.directories(); err != nil {
		return nil, err
	}
	if u := p.Profile.Umask; u != nil {
		w.set("UMask", fmt.Sprintf("%04o", *u))
	}
	for _, l := range w.limits("systemd") {
		if !isUnitLimit(l.Name, l.Soft) || !isUnitLimit(l.Name, l.Hard) {
			w.lose("rlimits."+l.Name, "systemd ignores so large a limit")
			continue
		}
		w.set("Limit"+strings.ToUpper(l.Name), unitLimit(l.Soft)+":"+unitLimit(l.Hard))
	}
	w.environment()
	if p.Profile.InheritKeyring {
		w.set("KeyringMode", "inherit")
	}
	w.keptDescriptors("systemd passes descriptors of a socket unit only")
	w.Text = []byte(w.b.String())
	return &w.Result, nil
}

// unit writes a unit.
type unit struct {
	writer
	b strings.Builder
}

func (w *unit) line(text string) { w.b.WriteString(text + "\n") }

// set writes a setting. The value must be in the syntax of the setting.
func (w *unit) set(key, value string) { w.line(key + "=" + value) }

// unitName returns a name without a character that has a meaning in a unit.
func unitName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("._-", r) || isAlphanumeric(r) {
			return r
		}
		return '-'
	}, name)
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// isUnitLimit reports whether systemd accepts a limit. It converts seconds to microseconds,
// and accepts the nice values that the kernel has.
func isUnitLimit(name string, n uint64) bool {
	const maxSeconds, maxNice = 1<<44 - 1, 40
	return n == policy.Unlimited || (name != "cpu" || n <= maxSeconds) && (name != "nice" || n <= maxNice)
}

func unitLimit(n uint64) string {
	if n == policy.Unlimited {
		return "infinity"
	}
	return strconv.FormatUint(n, 10)
}

// execStart writes the command. The prefix ':' disables the substitution of variables.
func (w *unit) execStart() {
	args := w.command()
	if len(args) == 0 {
		w.line("# The profile has no command.")
		w.line("#ExecStart=/path/of/the/program")
		w.note("the profile has no command: write the program after ExecStart=")
		return
	}
	path := args[0]
	if !isUnitProgram(path) {
		w.lose("command", "systemd cannot start %q: want an absolute path, or a name, without quotes and backslashes", path)
		return
	}
	value := ":" + quoteUnit(path)
	for _, a := range args[1:] {
		if !validForUnit(a) {
			w.lose("command", "systemd refuses a character of the argument %q", a)
			return
		}
		value += " " + quoteUnit(a)
	}
	w.set("ExecStart", value)
}

// isUnitProgram reports whether systemd accepts a program. systemd removes the quotes before
// it reads prefixes, such as '+' for all privileges, so a name must not begin with one.
func isUnitProgram(path string) bool {
	if path == "" || strings.ContainsAny(path, "\"'\\\t\n") || !validForUnit(path) || strings.HasSuffix(path, "/") {
		return false
	}
	return path[0] == '/' || isUnitAccount(path)
}

// privileges writes the capability sets, the securebits and no_new_privs.
func (w *unit) privileges() {
	before := w.unitState()
	all := before.All
	switch b := before.Bounding; {
	case b == all:
	case b.Len() <= all.Minus(b).Len():
		w.set("CapabilityBoundingSet", strings.Join(upper(b), " "))
	default:
		w.set("CapabilityBoundingSet", "~"+strings.Join(upper(all.Minus(b)), " "))
	}
	if before.Ambient != 0 {
		w.set("AmbientCapabilities", strings.Join(upper(before.Ambient), " "))
	}
	var bits []string
	for _, b := range unitBits {
		if before.Securebits.Has(b.bit) {
			bits = append(bits, b.name)
		}
	}
	if len(bits) > 0 {
		w.set("SecureBits", strings.Join(bits, " "))
	}
	if before.NoNewPrivs {
		w.set("NoNewPrivileges", "yes")
	}
	w.losesFields(before, map[string]string{
		"Inheritable": "systemd makes a capability inheritable only if it is also ambient",
		"Ambient":     "systemd makes a capability ambient only if the bounding set has it",
		"Bounding":    "systemd cannot withhold a capability of the bounding set from uid 0",
		"Securebits":  "systemd cannot set every securebit",
	})
}

// unitState returns the state just before exec that systemd makes.
func (w *unit) unitState() cred.Cred {
	before := w.BeforeExec
	before.Permitted, before.Effective = before.All, before.All
	before.Bounding = before.Bounding.Intersect(before.All)
	before.Ambient = before.Ambient.Intersect(before.Bounding)
	before.Inheritable = before.Ambient
	var settable cred.Securebits
	for _, b := range unitBits {
		settable |= b.bit
	}
	// Exec clears keep_caps.
	before.Securebits &= settable &^ cred.SecKeepCaps
	return w.contain(before)
}

// directories writes the root and the working directory. Without MountAPIVFS=no systemd
// mounts /proc, /sys, /dev and /run in the root directory.
func (w *unit) directories() error {
	if root := w.Profile.Chroot; root != "" {
		if !isUnitPath(root) {
			return w.refuse("chroot", "rename the directory", "a unit cannot have the path %q", root)
		}
		w.set("RootDirectory", escapePercent(root))
		w.set("MountAPIVFS", "no")
		w.note("systemd finds the program in the root directory of the profile")
	}
	if dir := w.Profile.Cwd; dir != "" {
		if !isUnitPath(dir) {
			w.lose("cwd", "a unit cannot have the path %q", dir)
			return nil
		}
		w.set("WorkingDirectory", escapePercent(dir))
	}
	return nil
}
