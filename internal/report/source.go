package report

import (
	"errors"

	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/policy"
)

// MaxProfiles is the largest number of profiles in a report: ten times as many as a large
// fleet has. A page with more would take a browser seconds to lay out.
const MaxProfiles = 5000

// MaxSize is the largest size of a report in bytes. A report of 500 profiles has less than
// 1 MiB; only hostile profiles, with thousands of findings each, need more.
const MaxSize = 32 << 20

// ErrTooLarge is the error for a report of more than MaxProfiles or MaxSize.
var ErrTooLarge = errors.New("report too large; pass fewer directories, or use -exclude")

// A Source is what a row is made from: a profile, or the text of a profile that declares
// the same as another file.
type Source struct {
	// Name is the name of the row, and of the file in findings.
	Name string

	// Key is the name of the process in its file, to find its old version. Left reports that
	// the source is no row: a process with nothing that another one of the file has not.
	Key  string
	Left bool

	// File is the path of the file that the row links to; empty for a text that has
	// none, such as a built-in profile.
	File string

	// Text is the profile. Err is the reason why there is none.
	Text []byte
	Err  error

	// Check returns the findings about a text that is not the content of File, with the
	// files that they link to. It is nil for a profile, which review.Check checks.
	Check func(review.Options) []review.Finding

	// Undeclared is what the row says about an identity that the text does not declare;
	// empty for [Caller].
	Undeclared string

	// NoLines reports that the positions of findings are not lines of File, because File
	// contains the text in another form.
	NoLines bool

	// Outside is what the text does not have of the file of another platform, to compare
	// with that of the old version.
	Outside, oldOutside []render.OutsideItem

	// StandIn returns the profile to make a plan of, given that of the text; nil for the
	// same. NotRoot reports that an undeclared user is not root.
	StandIn, oldStandIn func(*policy.Profile) *policy.Profile
	NotRoot             bool

	// Launches is the profile with which the process, which is caprun, starts a program; empty
	// for another process. LaunchText is the same for a sentence, after the word profile.
	Launches, LaunchText string

	// Unread is the text of a file whose processes are not known; empty for any other. It
	// has no plan, and is compared as text.
	Unread, oldUnread string

	// Normal is the content of a file of another platform with one process, without comments;
	// empty for any other. A difference of declarations that neither the plan nor Outside has
	// is a change.
	Normal, oldNormal string

	// Old is the version of the profile to compare with; nil without one. OldErr is the
	// reason why it cannot be read. A report without a base ignores both.
	Old    []byte
	OldErr error

	// Removed reports that only Old exists.
	Removed bool
}

// SetOld sets the version to compare with.
func (s *Source) SetOld(old Source) {
	s.Old, s.OldErr, s.oldOutside, s.oldStandIn, s.oldUnread, s.oldNormal = old.Text, old.Err, old.Outside, old.StandIn, old.Unread, old.Normal
}
