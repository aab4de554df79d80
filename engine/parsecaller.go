package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// maxCallerText bounds the text of a start: some thousand groups.
const maxCallerText = 16 << 10

// callerError says what is wrong with the text of a start.
type callerError struct {
	Word   string // the word at fault, or what of it; empty for the whole text
	Reason string
	Hint   string // what to write instead
}

// Error returns the word and the reason.
func (e *callerError) Error() string {
	if e.Word == "" {
		return e.Reason
	}
	return fmt.Sprintf("%q: %s", clip(e.Word), e.Reason)
}

// ParseCaller reads the state of a caller from text, for the newest kernel that
// the model knows. See [Kernel.ParseCaller].
func ParseCaller(text string) (cred.Cred, error) { return LatestKernel().ParseCaller(text) }

// ParseCaller reads the state of a caller on this kernel from words separated
// by white space. "root" alone is the state of [cred.Root]. Otherwise:
//
//	uid=N             real, effective, saved and file system uid; 0
//	gid=N             the same of the gid; 0
//	groups=N,N        supplementary groups; none
//	secbits=NAME,NAME securebits; none
//	bounding=CAP,CAP  the bounding set, also "all" or "none"
//	ambient=CAP,CAP   the ambient set, also "all" or "none"; none
//	no_new_privs
//
// All other words together are the capability text of the effective,
// permitted and inheritable sets, as cap.ParseText reads it. Without any, uid
// 0 has every capability permitted and effective, and another uid none.
//
// Without bounding, the bounding set of uid 0 with a capability text is what
// the text permits or inherits, which is what a container runtime gives; of
// every other start it is everything.
//
// It refuses what a kernel cannot have: an effective set that is not within
// the permitted one, an ambient one that is not within the permitted and the
// inheritable one, ids, capabilities and securebits that do not exist. The
// error is a *machine.Error. Nothing is read from the system.
func (k Kernel) ParseCaller(text string) (cred.Cred, error) {
	c, err := k.parseCaller(text)
	var bad *callerError
	if errors.As(err, &bad) {
		err = &machine.Error{Err: err, Hint: bad.Hint}
	}
	return c, err
}

func (k Kernel) parseCaller(text string) (cred.Cred, error) {
	if len(text) > maxCallerText {
		return cred.Cred{}, &callerError{Reason: fmt.Sprintf("a start of more than %d bytes", maxCallerText), Hint: "write fewer groups"}
	}
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
		return cred.Cred{}, &callerError{Reason: "it is empty", Hint: "write root, current, or words such as uid=1000"}
	case len(words) == 1 && words[0] == "root":
		return k.Restrict(cred.Root()), nil
	}
	s := callerParser{kernel: k, cred: cred.Cred{All: k.Caps()}, seen: map[string]bool{}}
	for _, word := range words {
		if err := s.word(word); err != nil {
			return cred.Cred{}, err
		}
	}
	if err := s.finish(); err != nil {
		return cred.Cred{}, err
	}
	return s.cred, nil
}

// callerParser collects the words of a start.
type callerParser struct {
	kernel Kernel
	cred   cred.Cred
	seen   map[string]bool
	caps   []string // the words of the capability text
}

func (s *callerParser) word(word string) error {
	key, value, hasValue := strings.Cut(word, "=")
	switch key {
	case "uid", "gid", "groups", "secbits", "bounding", "ambient", "no_new_privs":
	case "root", "current":
		return &callerError{word, "it is a start of its own", "write it alone, or uid=0"}
	default:
		s.caps = append(s.caps, word)
		return nil
	}
	if s.seen[key] {
		return &callerError{word, key + " is written twice", "write it once"}
	}
	s.seen[key] = true
	c := &s.cred
	var err error
	switch key {
	case "uid":
		c.UID, err = parseCallerID(word, value)
		c.EUID, c.SUID, c.FSUID = c.UID, c.UID, c.UID
	case "gid":
		c.GID, err = parseCallerID(word, value)
		c.EGID, c.SGID, c.FSGID = c.GID, c.GID, c.GID
	case "groups":
		for text := range strings.SplitSeq(value, ",") {
			gid, err := parseCallerID(word, text)
			if err != nil {
				return err
			}
			c.Groups = append(c.Groups, gid)
		}
		slices.Sort(c.Groups)
	case "secbits":
		c.Securebits, err = s.securebits(word, value)
	case "bounding":
		c.Bounding, err = s.capSet(word, value)
	case "ambient":
		c.Ambient, err = s.capSet(word, value)
	case "no_new_privs":
		c.NoNewPrivs = true
		if hasValue {
			err = &callerError{word, "no_new_privs takes no value", "write no_new_privs, or leave it out"}
		}
	}
	return err
}

func parseCallerID(word, text string) (uint32, error) {
	id, err := machine.ParseID(text)
	if err != nil {
		return 0, &callerError{word, fmt.Sprintf("%q is no id", clip(text)), "write decimal digits, from 0 to 4294967294"}
	}
	return id, nil
}

func (s *callerParser) securebits(word, value string) (cred.Securebits, error) {
	var bits cred.Securebits
	for name := range strings.SplitSeq(value, ",") {
		bit, err := cap.SecbitsFromName(name)
		if err != nil {
			return 0, &callerError{word, fmt.Sprintf("no securebit is called %q", clip(name)), "write names such as noroot,noroot_locked"}
		}
		if cred.Securebits(bit)&^s.kernel.Securebits() != 0 {
			return 0, &callerError{word, fmt.Sprintf("Linux %v has no securebit %s (%s)", s.kernel, name, execSecurebitsSince.andLater(1)), "leave it out, or name a later kernel"}
		}
		bits |= cred.Securebits(bit)
	}
	return bits, nil
}

func (s *callerParser) capSet(word, value string) (cred.Caps, error) {
	switch value {
	case "all":
		return s.cred.All, nil
	case "none":
		return 0, nil
	}
	var caps cred.Caps
	for name := range strings.SplitSeq(value, ",") {
		v, err := cap.FromName(name)
		if err != nil {
			return 0, &callerError{word, fmt.Sprintf("%q is no capability", clip(name)), "write names such as cap_kill,cap_net_raw, or all, or none"}
		}
		caps = caps.With(int(v))
	}
	return caps, s.checkKnown(word, caps)
}

// checkKnown refuses capabilities that the kernel does not have.
func (s *callerParser) checkKnown(word string, caps cred.Caps) error {
	if unknown := caps.Minus(s.cred.All); unknown != 0 {
		return &callerError{word, fmt.Sprintf("Linux %v has no %s%s", s.kernel, unknown.Join(), capsSince(unknown)), "leave it out, or name a later kernel"}
	}
	return nil
}

// finish reads the capability text, fills in what was left out and refuses
// sets that contradict each other.
func (s *callerParser) finish() error {
	c := &s.cred
	text := strings.Join(s.caps, " ")
	switch {
	case text != "":
		set, err := cap.ParseText(text, cap.Value(c.All.Len()))
		if err == nil {
			c.Effective, c.Permitted, c.Inheritable, err = set.Masks()
		}
		if err != nil {
			return s.textError(text, err)
		}
		if err := s.checkKnown(text, c.Effective.Union(c.Permitted).Union(c.Inheritable)); err != nil {
			return err
		}
	case c.UID == 0:
		c.Effective, c.Permitted = c.All, c.All
	}
	if !s.seen["bounding"] {
		c.Bounding = c.All
		if c.UID == 0 {
			c.Bounding = c.Permitted.Union(c.Inheritable)
		}
	}
	if more := c.Effective.Minus(c.Permitted); more != 0 {
		return &callerError{text, "what is effective is permitted too, and this is not: " + more.Join(), "add p to its flags"}
	}
	if more := c.Ambient.Minus(c.Permitted.Intersect(c.Inheritable)); more != 0 {
		return &callerError{"ambient=" + c.Ambient.Join(), "what is ambient is permitted and inheritable too, and this is not: " + more.Join(),
			"write " + more.Join() + "=eip"}
	}
	return nil
}

// textError names the word of a capability text that is at fault.
func (s *callerParser) textError(text string, err error) error {
	const words = "write uid=, gid=, groups=, secbits=, bounding=, ambient=, no_new_privs, or a capability text such as cap_net_raw=ep"
	var bad *cap.TextError
	if !errors.As(err, &bad) {
		return &callerError{text, err.Error(), words}
	}
	return &callerError{wordAt(text, bad.Offset), bad.Reason, words}
}

// wordAt returns the word of text that the byte at offset is in.
func wordAt(text string, offset int) string {
	offset = max(0, min(offset, len(text)))
	begin := strings.LastIndexByte(text[:offset], ' ') + 1
	word, _, _ := strings.Cut(text[begin:], " ")
	return word
}

// clip shortens text from outside for a message.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
