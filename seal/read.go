package seal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"caprun/engine/machine"
	"caprun/policy"
	"caprun/seal/internal/image"
)

// Sealed is what a launcher says about itself. Only [Sealed.Verify] and [Check] tell
// whether its code does that.
type Sealed struct {
	Text      []byte // of the profile
	Arch      Arch
	Generator int // the GeneratorVersion of the caprun that wrote it

	// Accounts are the entries of the user and the groups that the profile names, in
	// the image; nil for a profile without names, and if Generator is not
	// GeneratorVersion.
	Accounts *machine.Accounts

	file []byte
}

var (
	// ErrNotSealed is the error for a file that is not a sealed launcher.
	ErrNotSealed = image.ErrNotSealed

	// ErrForm is the error for a launcher that this version of the package cannot read:
	// it was modified, or another version sealed it.
	ErrForm = image.ErrForm

	// ErrModified is the error for a launcher whose bytes are not those that caprun
	// writes for its profile.
	ErrModified = errors.New("modified after it was sealed: it may do something else than its profile declares")

	// ErrGenerator is the error for a launcher that was written by another version of
	// the generator, so that its code cannot be compared.
	ErrGenerator = errors.New("sealed by another version of the generator")
)

// IsELF reports whether a file, or the beginning of a file, is in the format ELF, as
// launchers are and profiles are not.
func IsELF(file []byte) bool { return image.IsELF(file) }

// Read returns what a launcher says about itself. The error is ErrNotSealed or ErrForm.
func Read(file []byte) (*Sealed, error) {
	m, err := image.Read(file)
	if err != nil {
		return nil, err
	}
	f, err := parseFacts(m.Facts)
	if err != nil {
		return nil, err
	}
	return &Sealed{Text: m.Profile, Arch: archOf(m.Machine), Generator: f.generator, Accounts: f.accounts, file: file}, nil
}

// Verify seals the text of the profile again, with the same user, and compares the files.
// The error is ErrModified or ErrGenerator.
func (s *Sealed) Verify() error {
	if s.Generator != GeneratorVersion {
		return fmt.Errorf("%w: %d, and this is %d", ErrGenerator, s.Generator, GeneratorVersion)
	}
	p, _ := policy.Parse("", s.Text)
	if p == nil || !areEntriesOf(s.Accounts, p) {
		return ErrModified
	}
	again, err := sealFor(p, s.Arch, s.Accounts)
	if err != nil || !bytes.Equal(again, s.file) {
		return ErrModified
	}
	return nil
}

// areEntriesOf reports whether these can be the entries of the names of a profile.
func areEntriesOf(a *machine.Accounts, p *policy.Profile) bool {
	if a == nil {
		a = &machine.Accounts{}
	}
	names := 0
	for name := range groupNames(p) {
		if _, ok := a.Groups[name]; !ok {
			return false
		}
		names++
	}
	if names != len(a.Groups) {
		return false
	}
	if a.User == nil || p.User == "" {
		return a.User == nil && p.User == ""
	}
	number, err := machine.ParseID(p.User)
	return err == nil && a.User.UID == number || err != nil && a.User.Name == p.User
}

// groupNames returns the groups that a profile names.
func groupNames(p *policy.Profile) map[string]bool {
	names := map[string]bool{}
	groups := p.Groups
	if p.GID != nil {
		groups = append(slices.Clone(groups), *p.GID)
	}
	for _, g := range groups {
		if g.Name != "" {
			names[g.Name] = true
		}
	}
	return names
}

// DifferenceError reports that a launcher is not what a profile seals to.
type DifferenceError struct {
	Differences []string // at least one
}

// Error returns the differences.
func (e *DifferenceError) Error() string { return strings.Join(e.Differences, "; ") }

// Check seals a profile and compares the result with a launcher. If o.Arch is zero, it
// takes the architecture of the launcher. The error is a *DifferenceError, an error of
// Read, or an error of Seal.
func Check(file []byte, p *policy.Profile, o Options) error {
	s, err := Read(file)
	if err != nil {
		return err
	}
	if o.Arch == 0 {
		o.Arch = s.Arch
	}
	want, err := Seal(p, o)
	if err != nil {
		return err
	}
	if bytes.Equal(want, file) {
		return nil
	}
	fresh, err := Read(want)
	if err != nil {
		return err
	}
	var d DifferenceError
	add := func(differ bool, format string, args ...any) {
		if differ {
			d.Differences = append(d.Differences, fmt.Sprintf(format, args...))
		}
	}
	add(!bytes.Equal(s.Text, fresh.Text), "it has another profile")
	add(s.Arch != fresh.Arch, "it is for %v, not for %v", s.Arch, fresh.Arch)
	add(s.Generator != fresh.Generator, "version %d of the generator wrote it, and this is version %d", s.Generator, fresh.Generator)
	if s.Generator == fresh.Generator {
		had, has := accountsText(s.Accounts), accountsText(fresh.Accounts)
		add(had != has, "it has %s, and the image has %s", had, has)
	}
	if d.Differences == nil {
		return ErrModified
	}
	return &d
}

// accountsText returns the entries of a user and of groups as text.
func accountsText(a *machine.Accounts) string {
	if a == nil {
		return "no names"
	}
	var parts []string
	if u := a.User; u != nil {
		parts = append(parts, fmt.Sprintf("user %s with uid %d, gid %d, groups %d and home directory %q", u.Name, u.UID, u.GID, u.Groups, u.Home))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Groups)) {
		parts = append(parts, fmt.Sprintf("group %s with gid %d", name, a.Groups[name]))
	}
	return strings.Join(parts, ", ")
}
