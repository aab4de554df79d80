package seal

import (
	"errors"
	"fmt"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/policy"
	"caprun/seal/internal/image"
	"caprun/seal/internal/launcher"
)

// GeneratorVersion is the version of the code that Seal writes. It changes when, and only
// when, a launcher changes: TestGolden fails otherwise.
const GeneratorVersion = 1

// MaxSize is the largest size of a launcher in bytes.
const MaxSize = image.MaxSize

// Options are what a launcher depends on besides its profile.
type Options struct {
	Arch Arch // DefaultArch() if zero

	// Root is the root directory of the image that the launcher is for. Seal finds the
	// names of a profile in /etc/passwd and /etc/group there. If it is empty, Seal
	// refuses a profile with names.
	Root string
}

// Seal returns the launcher of a profile, which must be as policy.Parse returned it. The
// error is an *engine.NoPlanError if the profile has no plan, or a *machine.Error with the
// key that cannot be sealed, among others.
func Seal(p *policy.Profile, o Options) ([]byte, error) {
	if o.Arch == 0 {
		o.Arch = DefaultArch()
	}
	accounts, err := findAccounts(p, o.Root)
	if err != nil {
		return nil, err
	}
	return sealFor(p, o.Arch, accounts)
}

// sealFor returns the launcher of a profile whose names have these entries; nil for a profile
// without names.
func sealFor(p *policy.Profile, a Arch, accounts *machine.Accounts) ([]byte, error) {
	switch {
	case !a.isKnown():
		return nil, fmt.Errorf("unknown %v", a)
	case p.Text() == nil:
		return nil, errors.New("a profile without text: seal one that policy.Parse returned")
	}
	program, err := launcher.Build(launcher.Config{Profile: p, Name: nameOf(p), Accounts: accounts, Formats: a.formats()})
	if err != nil {
		return nil, sealError(p, err)
	}
	code, err := archTable[a].assemble(program, image.CodeAddress)
	if err != nil {
		return nil, sealError(p, err)
	}
	file, err := image.Write(image.Image{
		Machine: archTable[a].machine, Code: code, Profile: p.Text(), Facts: facts{GeneratorVersion, accounts}.text(),
	})
	if err != nil {
		return nil, sealError(p, err)
	}
	return file, nil
}

// nameOf returns how the messages of a launcher begin. It depends on the text of the
// profile alone, not on the name of the file.
func nameOf(p *policy.Profile) string {
	if p.Name == "" {
		return "caprun"
	}
	return p.Name
}

// sealError returns the error for a profile that cannot be sealed.
func sealError(p *policy.Profile, err error) error {
	var none *launcher.NoPlanError
	var unsupported *launcher.UnsupportedError
	switch {
	case errors.As(err, &none):
		return &engine.NoPlanError{Diagnostics: none.Diagnostics}
	case errors.As(err, &unsupported):
		return &machine.Error{Profile: p, Key: unsupported.Key, Err: err, Hint: "remove it, or start the program with caprun -profile"}
	}
	return &machine.Error{Profile: p, Err: err}
}
