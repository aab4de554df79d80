// Package compare orders what launches and processes may do.
//
// [Compare] says what a new plan grants more, less, or otherwise than an old one,
// dimension by dimension. [Verify] says the same of a running process and the plan
// that it is held to. Both work on typed values: text is made only for people.
//
// The order is about reach: where a comparison says less or the same, nothing that
// the new target can come to hold, now or later, is out of the old one's reach.
package compare
