package search

// Purpose is the reason for a run.
type Purpose int

// The purposes, in the order in which a search has them.
const (
	// Control runs the program without capabilities.
	Control Purpose = iota + 1

	// TryStrong runs it with the strong guess.
	TryStrong

	// AddDenied adds the capabilities that the kernel denied in the run before.
	AddDenied

	// AddWeak adds the weak guess.
	AddWeak

	// TryAll runs it with all capabilities.
	TryAll

	// RemoveMany leaves out several capabilities that no guess named.
	RemoveMany

	// RemoveOne leaves out one capability.
	RemoveOne

	// Replace leaves out one capability and adds one that the kernel denied instead.
	Replace

	// Repeat runs a failed set again: no denial of the missing capability was seen, so the
	// failure may have another reason.
	Repeat

	// Confirm runs the final set again.
	Confirm
)

// String returns the purpose as one word, or two words with a hyphen. The words are part
// of the JSON form of a report.
func (p Purpose) String() string {
	switch p {
	case Control:
		return "control"
	case TryStrong:
		return "strong"
	case AddDenied:
		return "add-denied"
	case AddWeak:
		return "add-weak"
	case TryAll:
		return "all"
	case RemoveMany:
		return "remove-many"
	case RemoveOne:
		return "remove"
	case Replace:
		return "replace"
	case Repeat:
		return "repeat"
	case Confirm:
		return "confirm"
	}
	return "unknown"
}
