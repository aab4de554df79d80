package source

import (
	"errors"
	"fmt"

	"caprun/policy"
	"caprun/seal"
)

// maxSize is the largest file that a review reads: a sealed launcher, which has a profile.
const maxSize = max(seal.MaxSize, policy.MaxSize)

var (
	errExecutable = errors.New("an executable (ELF), and not a sealed launcher; want a profile, which is YAML")
	errLaunch     = errors.New("an executable (ELF), and not a profile; run a sealed launcher itself, without caprun")
)

// unverified returns the text of the profile that a review is about, and the launcher that
// contains it; nil if data is the profile itself. The error wraps seal.ErrGenerator if all
// else is as it should be.
func unverified(data []byte) ([]byte, *seal.Sealed, error) {
	if !seal.IsELF(data) {
		return data, nil, nil
	}
	s, err := seal.Read(data)
	switch {
	case errors.Is(err, seal.ErrNotSealed):
		return nil, nil, errExecutable
	case err != nil:
		return nil, nil, fmt.Errorf("%w; seal its profile again", err)
	}
	switch err := s.Verify(); {
	case errors.Is(err, seal.ErrGenerator):
		return s.Text, s, fmt.Errorf("%w; seal its profile again, or use the caprun that sealed it", err)
	case err != nil:
		return nil, nil, fmt.Errorf("%w; seal its profile again", err)
	}
	return s.Text, s, nil
}

// ProfileText returns the text of the profile that the content of a file is or, of a
// sealed launcher, contains. It refuses a launcher whose code is not what its profile seals
// to: a review of the profile would not be one of the launcher.
func ProfileText(data []byte) ([]byte, error) {
	text, _, err := unverified(data)
	if err != nil {
		return nil, err
	}
	return text, nil
}

// Review returns the text of the profile, and the sealed launcher that contains it; nil for
// a file that is a profile. The error wraps seal.ErrGenerator, and text and launcher are
// there, if another version of the generator wrote the launcher, so that its code cannot
// be compared.
func (s Source) Review() ([]byte, *seal.Sealed, error) {
	data, err := s.bytes(maxSize+1, false)
	if err != nil {
		return nil, nil, err
	}
	return unverified(data)
}
