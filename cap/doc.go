// Package cap handles Linux capabilities: sets of them, their text, and what
// processes, threads and files hold. It offers the documented API of
// kernel.org/pub/linux/libs/security/libcap/cap, written anew from that
// documentation, and a few calls more.
//
// Three types carry the state:
//
//   - [Set] has the effective, permitted and inheritable capabilities of a
//     process or a file. Its text is "cap_net_raw=ep", read by [FromText].
//   - [IAB] has what a process hands on through exec: inheritable, ambient and
//     blocked (the complement of the bounding set). Its text is
//     "^cap_net_raw,!cap_sys_admin", read by [IABFromText].
//   - [Secbits] and [Mode] say what the kernel does for user ID 0.
//
// A set is built, printed and compared without the kernel:
//
//	c, err := cap.FromText("cap_net_bind_service,cap_setuid=p")
//	if err != nil {
//		return err
//	}
//	if err := c.Fill(cap.Effective, cap.Permitted); err != nil {
//		return err
//	}
//	fmt.Println(c) // cap_setuid,cap_net_bind_service=ep, in order of numbers
//
// # What holds
//
// A text is read whole, whatever its length, or refused: nothing in it is cut
// or skipped. What String prints is read back as an equal set or tuple, and
// what prints alike on one kernel is equal. A Set or IAB holds all 64 bits, so
// capabilities newer than this package are kept, printed as numbers and
// compared. "all" in a text, and "=" without names, mean the capabilities of
// the running kernel; [ParseText] and [Set.Text] do the same for a kernel with
// a given number of them, with the same result on every system.
//
// No argument makes these types panic: a nil or zero Set, or a flag or value
// out of range, is an error. The errors are the Err variables, sometimes
// wrapped; use errors.Is. [ParseText] and [ParseIAB] return a [TextError],
// which says where in the text the fault is.
//
// # Threads
//
// A Set or an IAB may be used by several goroutines: every method locks it. A
// method of two of them reads the one before it locks the other, so none waits
// for another for ever. Copy them with Dup only. MinExtFlagSize is a plain
// variable, to be set before use.
//
// # Differences from libcap's package
//
// Texts, sets and tuples behave as in version 1.2.78, except for these, where
// that version contradicts its own documentation or loses something without a
// word:
//
//   - "=ep-e" is "=p", as the grammar says. There, what follows "=ep" is
//     ignored unless names come first.
//   - A word of more than 64 KiB is read. There, it ends the text without an
//     error, and the words before it count.
//   - Value 64 is ErrBadValue. There, it is an index out of range, a panic; so
//     is a bad flag in SetFlag and IAB.Fill, and a nil Set in GetNSOwner and
//     SetNSOwner (here ErrBadSet, and nothing).
//   - A tuple prints the capabilities that the kernel does not have, and
//     GetVector and SetVector take them. There, IABFromText takes them but
//     nothing shows them, so that tuples which print alike may differ.
//   - IAB.Fill of Bound blocks the kernel's capabilities only. There, it also
//     raises the numbers up to 63, with the same effect on printing and Cf.
//   - IAB.SetVector changes nothing if it returns an error. There, the values
//     before the bad one stay; and a bad vector without values is no error.
//   - FromName's error for a word that is no name is an ErrBadValue too, and
//     says what is wrong. There, it is a *strconv.NumError alone, which it
//     still wraps.
//
// Kept, although the C library does otherwise: "=" resets all capabilities and
// not only those named with it, as documented; an empty text is ErrBadText;
// names are lower-case, and numbers decimal.
package cap
