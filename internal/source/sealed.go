package source

import (
	"errors"
	"fmt"

	"caprun/platform"
	"caprun/seal"
)

// maxSize is the largest file that a review reads.
const maxSize = max(seal.MaxSize, largest)

var (
	errExecutable = errors.New("an executable (ELF), and not a sealed launcher; want a profile, which is YAML")
	errOtherUnit  = errors.New("a unit that is no service; pass the service unit")
	errMasked     = errors.New("a masked unit: a link to /dev/null")
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

// File returns the content of a file of any kind, without the files beside it.
func (s Source) File() (Content, error) {
	data, err := s.bytes(maxSize+1, false)
	if err != nil {
		return Content{}, err
	}
	return Content{Text: data}, nil
}

// Review returns what a review reads. The error wraps seal.ErrGenerator, and the content is
// there, as NewContent says.
func (s Source) Review() (Content, error) {
	data, err := s.bytes(maxSize+1, false)
	if err != nil {
		if platform.IsUnit(s.path) && isMasked(s.path) {
			err = errMasked
		}
		return Content{}, err
	}
	c, err := NewContent(s.Name, data)
	if err == nil && s.path != "" {
		var r Reader
		err = c.readCompanions(s.path, s.path, r.read)
	}
	return c, err
}
