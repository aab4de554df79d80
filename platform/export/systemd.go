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
// and knows the nice values that the kernel has.
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
		w.lose("command", "systemd cannot start %q: it wants an absolute path, or a name, without quotes and backslashes", path)
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

// identity writes the user and the groups. A service without User= runs as root.
func (w *unit) identity() error {
	p := w.Profile
	if !w.Identity.Declared {
		return nil
	}
	user, named := strconv.FormatUint(uint64(w.Identity.UID), 10), false
	if uid, _, _ := w.KnownIDs(); !uid || p.UID == nil && p.User != "root" && w.Identity.UID != 0 {
		user, named = p.User, true
	}
	if !isUnitAccount(user) {
		return w.refuse("user", "declare uid", "systemd does not accept the name %q", user)
	}
	w.set("User", user)
	if user != "0" {
		w.note("systemd starts nothing as a user or a group without an entry in the database, and adds the groups that the database lists for the user: compare them with those of the profile (id %s)", user)
	}
	if p.GID != nil || p.UID != nil {
		group := policy.Group{ID: w.Identity.GID}
		if p.GID != nil {
			group = *p.GID
		}
		text, err := w.group("gid", group)
		if err != nil {
			return err
		}
		w.set("Group", text)
	}
	return w.groups(named)
}

// groups writes the supplementary groups. For a name without declared groups they are those
// of the database, which systemd sets.
func (w *unit) groups(named bool) error {
	var list []string
	add := func(key string, g policy.Group) error {
		text, err := w.group(key, g)
		list = append(list, text)
		return err
	}
	if named && w.Profile.Groups == nil {
		return nil
	}
	// The plan adds the gid. systemd does, too, if it comes from the user database.
	switch _, gid, _ := w.KnownIDs(); {
	case gid:
		list = append(list, strconv.FormatUint(uint64(w.Identity.GID), 10))
	case w.Profile.GID != nil:
		if err := add("gid", *w.Profile.GID); err != nil {
			return err
		}
	case !named:
		list = append(list, "0")
		w.note("systemd does not add the groups that the group database lists for root")
	}
	for _, g := range w.Profile.Groups {
		if g.Name == "" && g.ID == w.Identity.GID {
			continue
		}
		if err := add("groups", g); err != nil {
			return err
		}
	}
	if len(list) > 0 {
		w.set("SupplementaryGroups", strings.Join(list, " "))
	}
	if named && w.Profile.Groups != nil {
		w.lose("groups", "systemd adds the groups that the group database lists for the user")
	}
	return nil
}

func (w *unit) group(key string, g policy.Group) (string, error) {
	if g.Name == "" {
		return strconv.FormatUint(uint64(g.ID), 10), nil
	}
	if !isUnitAccount(g.Name) {
		return "", w.refuse(key, "declare the number of the group", "systemd does not accept the name %q", g.Name)
	}
	return g.Name, nil
}

// isUnitAccount reports whether a unit can have a name of a user or group without escapes,
// and systemd accepts it.
func isUnitAccount(name string) bool {
	for n, r := range name {
		if !isAlphanumeric(r) && r != '_' && (n == 0 || r != '-' && r != '.' && r != '@') {
			return false
		}
	}
	return name != ""
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
