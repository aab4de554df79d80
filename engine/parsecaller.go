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

// maxCallerText is the maximum length of the text, in bytes: enough for a thousand
// groups.
const maxCallerText = 16 << 10

// callerError is an error in the text of a caller's credentials.
type callerError struct {
	Word   string // the wrong word; empty if the error is about the whole text
	Reason string
	Hint   string // what to do
}

// Error returns the word and the reason.
func (e *callerError) Error() string {
	if e.Word == "" {
		return e.Reason
	}
	return fmt.Sprintf("%q: %s", clip(e.Word), e.Reason)
}

// ParseCaller parses the credentials of a caller for [LatestKernel]. See
// [Kernel.ParseCaller].
func ParseCaller(text string) (cred.Cred, error) { return LatestKernel().ParseCaller(text) }

// ParseCaller parses the credentials of a caller on kernel k. It reads nothing from
// the system. The text is the word "root", which stands for [cred.Root], or a list of
// words separated by white space:
//
//	uid=N             real, effective, saved and file system uid (default 0)
//	gid=N             real, effective, saved and file system gid (default 0)
//	groups=N,N        supplementary groups (default none)
//	secbits=NAME,NAME securebits (default none)
//	bounding=CAP,CAP  bounding set, also "all" or "none"
//	ambient=CAP,CAP   ambient set, also "all" or "none" (default none)
//	no_new_privs      sets no_new_privs
//
// All other words together are the effective, permitted and inheritable sets in the
// text form of cap.ParseText. By default, uid 0 has every capability permitted and
// effective, and any other uid has none.
//
// The default bounding set has all capabilities, with one exception: if uid 0 has
// capability sets as text, the bounding set has the permitted and inheritable ones. A
// container runtime starts a container this way.
//
// The error is a *machine.Error. ParseCaller refuses unknown IDs, capabilities and
// securebits, those that k does not have, and sets that the kernel does not allow: the
// effective set must be within the permitted set, and the ambient set within both the
// permitted and the inheritable set.
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
		return cred.Cred{}, &callerError{Reason: fmt.Sprintf("credentials are %d bytes; the limit is %d", len(text), maxCallerText), Hint: "write fewer groups"}
	}
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
		return cred.Cred{}, &callerError{Reason: "missing credentials", Hint: "write root, current, or words such as uid=1000"}
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

// callerParser parses the words of a caller's credentials.
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
		return &callerError{word, key + " and other words are mutually exclusive", "write " + key + " alone, or replace it with uid=N"}
	default:
		s.caps = append(s.caps, word)
		return nil
	}
	if s.seen[key] {
		return &callerError{word, "duplicate " + key, "write " + key + " once"}
	}
	s.seen[key] = true
	c := &s.cred
	var err error
	switch key {
	case "uid":
		c.UID, err = parseCallerID(word, "uid", value)
		c.EUID, c.SUID, c.FSUID = c.UID, c.UID, c.UID
	case "gid":
		c.GID, err = parseCallerID(word, "gid", value)
		c.EGID, c.SGID, c.FSGID = c.GID, c.GID, c.GID
	case "groups":
		for text := range strings.SplitSeq(value, ",") {
			gid, err := parseCallerID(word, "gid", text)
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
			err = &callerError{word, "no_new_privs takes no value", "write no_new_privs without a value"}
		}
	}
	return err
}

// parseCallerID parses an ID in word; kind is "uid" or "gid".
func parseCallerID(word, kind, text string) (uint32, error) {
	id, err := machine.ParseID(text)
	if err != nil {
		return 0, &callerError{word, fmt.Sprintf("invalid %s %q", kind, clip(text)), "write a decimal number from 0 to 4294967294"}
	}
	return id, nil
}

func (s *callerParser) securebits(word, value string) (cred.Securebits, error) {
	var bits cred.Securebits
	for name := range strings.SplitSeq(value, ",") {
		bit, err := cap.SecbitsFromName(name)
		if err != nil {
			return 0, &callerError{word, fmt.Sprintf("unknown securebit %q", clip(name)), "write names such as noroot,noroot_locked"}
		}
		if cred.Securebits(bit)&^s.kernel.Securebits() != 0 {
			return 0, &callerError{word, fmt.Sprintf("Linux %v does not have %s (%s)", s.kernel, name, execSecurebitsSince.andLater(1)), "remove it, or choose a newer kernel"}
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
			return 0, &callerError{word, fmt.Sprintf("unknown capability %q", clip(name)), "write names such as cap_kill,cap_net_raw, or all, or none"}
		}
		caps = caps.With(int(v))
	}
	return caps, s.checkKnown(word, caps)
}

// checkKnown refuses capabilities that the kernel does not have.
func (s *callerParser) checkKnown(word string, caps cred.Caps) error {
	if unknown := caps.Minus(s.cred.All); unknown != 0 {
		return &callerError{word, fmt.Sprintf("Linux %v does not have %s%s", s.kernel, unknown.Join(), capsSince(unknown)), "remove it, or choose a newer kernel"}
	}
	return nil
}

// finish parses the capability text, sets the defaults, and refuses sets that the
// kernel does not allow.
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
		return &callerError{text, more.Join() + " is effective but not permitted", "add p to its flags"}
	}
	if more := c.Ambient.Minus(c.Permitted.Intersect(c.Inheritable)); more != 0 {
		return &callerError{"ambient=" + c.Ambient.Join(), more.Join() + " is ambient but not permitted and inheritable",
			"add " + more.Join() + "=eip"}
	}
	return nil
}

// textError returns the error of a capability text with the word that it is about.
func (s *callerParser) textError(text string, err error) error {
	const words = "write uid=, gid=, groups=, secbits=, bounding=, ambient=, no_new_privs, or a capability text such as cap_net_raw=ep"
	var bad *cap.TextError
	if !errors.As(err, &bad) {
		return &callerError{text, err.Error(), words}
	}
	return &callerError{wordAt(text, bad.Offset), bad.Reason, words}
}

// wordAt returns the word of text at a byte offset.
func wordAt(text string, offset int) string {
	offset = max(0, min(offset, len(text)))
	begin := strings.LastIndexByte(text[:offset], ' ') + 1
	word, _, _ := strings.Cut(text[begin:], " ")
	return word
}

// clip shortens untrusted text for a message.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
