package policy

// A Rule is a kind of diagnostic.
type Rule struct {
	Name     string // kebab-case, and never given to another rule
	Severity Severity
	Summary  string // one sentence: what is wrong, or what is demanded
}

// rule is an index into rules.
type rule int

const (
	fileTooLarge rule = iota
	badEncoding
	badCharacter
	badSyntax
	emptyFile
	manyDocuments
	yamlFeature
	tooComplex
	unknownKey
	duplicateKey
	missingKey
	conflictingKeys
	nullValue
	ambiguousValue
	badType
	badNumber
	tooLong
	duplicateItem
	badVersion
	badName
	badCommand
	badUser
	badID
	missingUID
	missingGID
	badCaps
	badIAB
	unknownCapability
	discardedClause
	unknownMode
	unknownSecbit
	keepCaps
	lockWithoutBit
	cannotUnset
	badPath
	badUmask
	badVariable
	conflictingVariable
	unknownRlimit
	badRlimit
	badDescriptor
	badKeyring
	badSuppression
	internalError
)

// rules is the one table of them.
var rules = [...]Rule{
	fileTooLarge:  {"file-too-large", Error, "A profile has at most 64 KiB."},
	badEncoding:   {"bad-encoding", Error, "A profile is UTF-8 without a byte order mark."},
	badCharacter:  {"bad-character", Error, "Control characters, bidirectional controls and rare line breaks have no place in a profile, raw or as an escape."},
	badSyntax:     {"bad-syntax", Error, "The file cannot be read as YAML."},
	emptyFile:     {"empty-file", Error, "A profile says at least its version."},
	manyDocuments: {"many-documents", Error, "A file holds one profile."},
	yamlFeature:   {"yaml-feature", Error, "Anchors, aliases, merge keys, tags and directives have no place in a profile."},
	tooComplex:    {"too-complex", Error, "The file is nested deeper, or has more values, than any profile needs."},

	unknownKey:      {"unknown-key", Error, "The format has no key of this name."},
	duplicateKey:    {"duplicate-key", Error, "A mapping has a key twice."},
	missingKey:      {"missing-key", Error, "A key that must be there is not."},
	conflictingKeys: {"conflicting-keys", Error, "Two keys exclude each other."},
	nullValue:       {"null-value", Error, "A key or an item has no value."},
	ambiguousValue:  {"ambiguous-value", Error, "A word such as yes, 12:30 or = is text to some readers of YAML and something else to others."},
	badType:         {"bad-type", Error, "The value is of another kind than its key takes, such as a number in quotes."},
	badNumber:       {"bad-number", Error, "Numbers are whole and decimal, without plus sign, leading zeros, underscores or exponent."},
	tooLong:         {"too-long", Error, "A text or a list is longer than any profile needs."},
	duplicateItem:   {"duplicate-item", Error, "A list names something twice."},

	badVersion: {"bad-version", Error, "The only version of the format is 1."},
	badName:    {"bad-name", Error, "The name of a profile is made of letters, digits, '.', '_' and '-'."},
	badCommand: {"bad-command", Error, "A command begins with the program."},

	badUser:    {"bad-user", Error, "A user is a name that can stand in /etc/passwd, or a plain number."},
	badID:      {"bad-id", Error, "User and group ids are 0 to 4294967294."},
	missingUID: {"missing-uid", Error, "Groups are changed only together with the user."},
	missingGID: {"missing-gid", Error, "A uid needs a gid, or the target would keep the group of the caller."},

	badCaps:           {"bad-caps", Error, "The text of caps is not one that libcap reads."},
	badIAB:            {"bad-iab", Error, "The text of iab is not one that libcap reads."},
	unknownCapability: {"unknown-capability", Error, "No kernel has a capability of this name or number."},
	discardedClause:   {"discarded-clause", Error, "A later clause of caps with '=' discards this one, for some tools and not for others."},

	unknownMode:    {"unknown-mode", Error, "The modes are HYBRID, PURE1E_INIT, PURE1E and NOPRIV."},
	unknownSecbit:  {"unknown-secbit", Error, "No securebit has this name."},
	keepCaps:       {"keep-caps", Error, "The target cannot have keep_caps, because its exec clears it."},
	lockWithoutBit: {"lock-without-bit", Error, "A lock without its bit keeps privilege on for ever."},
	cannotUnset:    {"cannot-unset", Error, "What can be set and never unset cannot be declared as false."},

	badPath:  {"bad-path", Error, "Paths are absolute and clean."},
	badUmask: {"bad-umask", Error, "A umask is three or four octal digits in quotes."},

	badVariable:         {"bad-variable", Error, "Names of environment variables are letters, digits and '_', not beginning with a digit."},
	conflictingVariable: {"conflicting-variable", Error, "A variable is both given and taken away."},

	unknownRlimit: {"unknown-rlimit", Error, "No resource limit has this name."},
	badRlimit:     {"bad-rlimit", Error, "A resource limit is a whole number or unlimited, and soft is not above hard."},
	badDescriptor: {"bad-descriptor", Error, "Kept descriptors are 3 to 1048575."},
	badKeyring:    {"bad-keyring", Error, "The only value of keyring is inherit."},

	badSuppression: {"bad-suppression", Error, "An entry of lint.ignore names a rule, says why, and until which day of the calendar."},

	internalError: {"internal-error", Error, "There is a mistake in caprun, and not in the profile."},
}

// Rules returns the rules of this package, which are about the text of a
// profile alone.
func Rules() []Rule { return append([]Rule(nil), rules[:]...) }
