package source

import (
	"caprun/platform"
	"caprun/platform/declared"
	"caprun/policy"
	"caprun/seal"
)

// Content is what a review reads: a profile, a sealed launcher with a profile, or a file of
// another platform.
type Content struct {
	Text   []byte       // the profile; of another platform, the file
	Sealed *seal.Sealed // nil for a file that is no launcher

	// Platform is the file of another platform; nil for a profile.
	Platform *platform.Input
}

// largest is the largest length of a file that is no sealed launcher.
const largest = max(policy.MaxSize, declared.MaxSize)

// NewContent returns what a review makes of the bytes of a file, without the files beside
// it. name is its name in messages. The error wraps seal.ErrGenerator, and the content is
// there, if another version of the generator wrote the launcher, so that its code cannot be
// compared.
func NewContent(name string, data []byte) (Content, error) {
	text, sealed, err := unverified(data)
	c := Content{Text: text, Sealed: sealed}
	if sealed != nil || err != nil {
		return c, err
	}
	if platform.IsOtherUnit(name) {
		if p, _ := policy.Read(name, text); p == nil {
			return Content{}, errOtherUnit
		}
	}
	if kind := platform.Detect(name, text); kind != platform.Profile {
		c.Platform = &platform.Input{Kind: kind, File: declared.File{Name: name, Text: text}}
	}
	return c, nil
}
