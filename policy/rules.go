package policy

// A Rule is a kind of diagnostic.
type Rule struct {
	Name     string // kebab-case, and never given to another rule
	Severity Severity
	Summary  string // one sentence
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
	internalError
)

// rules is the one table of them.
var rules = [...]Rule{
	fileTooLarge:  {"file-too-large", Error, "A profile has at most 64 KiB."},
	badEncoding:   {"bad-encoding", Error, "A profile is UTF-8 without a byte order mark."},
	badCharacter:  {"bad-character", Error, "Control characters, bidirectional controls and rare line separators make a file look like something else than it says, raw or as an escape."},
	badSyntax:     {"bad-syntax", Error, "The file cannot be read as YAML."},
	emptyFile:     {"empty-file", Error, "A profile says at least its version."},
	manyDocuments: {"many-documents", Error, "A file holds one profile."},
	yamlFeature:   {"yaml-feature", Error, "Anchors, aliases, merge keys, tags and directives let a file mean something else than its lines say."},
	tooComplex:    {"too-complex", Error, "The file is nested deeper, or has more values, than any profile."},

	unknownKey:      {"unknown-key", Error, "A key that the format does not have would be a wish that nobody grants."},
	duplicateKey:    {"duplicate-key", Error, "Of two equal keys only one could hold."},
	missingKey:      {"missing-key", Error, "A key that must be there is not."},
	conflictingKeys: {"conflicting-keys", Error, "Two keys exclude each other."},
	nullValue:       {"null-value", Error, "A key without a value could mean nothing, or the default."},
	ambiguousValue:  {"ambiguous-value", Error, "Words such as yes and off are text to some readers of YAML and true or false to others."},
	badType:         {"bad-type", Error, "The value is of another kind than its key takes, such as a number in quotes."},
	badNumber:       {"bad-number", Error, "Numbers are whole and decimal, without sign, leading zeros, underscores or exponent."},
	tooLong:         {"too-long", Error, "A text or a list is longer than any profile needs."},
	duplicateItem:   {"duplicate-item", Error, "A list names something twice."},

	badVersion: {"bad-version", Error, "The only version of the format is 1."},
	badName:    {"bad-name", Error, "The name of a profile is made of letters, digits, '.', '_' and '-'."},
	badCommand: {"bad-command", Error, "A command begins with the program."},

	badUser:    {"bad-user", Error, "A user is a name that can stand in /etc/passwd, or a plain number."},
	badID:      {"bad-id", Error, "User and group ids are 0 to 4294967294."},
	missingUID: {"missing-uid", Error, "Groups are changed only together with the user."},
	missingGID: {"missing-gid", Error, "A uid without a gid would keep the caller's group."},

	badCaps:           {"bad-caps", Error, "The text of caps is not one that libcap reads."},
	badIAB:            {"bad-iab", Error, "The text of iab is not one that libcap reads."},
	unknownCapability: {"unknown-capability", Error, "No kernel has a capability of this name or number."},
	discardedClause:   {"discarded-clause", Error, "A later clause of caps with '=' discards this one, for some tools and not for others."},

	unknownMode:    {"unknown-mode", Error, "The modes are HYBRID, PURE1E_INIT, PURE1E and NOPRIV."},
	unknownSecbit:  {"unknown-secbit", Error, "Securebits have the names that setpriv uses."},
	keepCaps:       {"keep-caps", Error, "The exec of the target clears keep_caps."},
	lockWithoutBit: {"lock-without-bit", Error, "A lock without its bit locks root's privilege on."},
	cannotUnset:    {"cannot-unset", Error, "no_new_privs and new_session can be set and never unset."},

	badPath:  {"bad-path", Error, "Paths are absolute and clean."},
	badUmask: {"bad-umask", Error, "A umask is three or four octal digits in quotes."},

	badVariable:         {"bad-variable", Error, "Names of environment variables are letters, digits and '_', not beginning with a digit."},
	conflictingVariable: {"conflicting-variable", Error, "A variable cannot be both given and taken away."},

	unknownRlimit: {"unknown-rlimit", Error, "Resource limits have the names of RLIMIT_*, in lower case."},
	badRlimit:     {"bad-rlimit", Error, "A resource limit is a whole number or unlimited, and soft is not above hard."},
	badDescriptor: {"bad-descriptor", Error, "Kept descriptors are 3 to 1048575."},

	internalError: {"internal-error", Error, "caprun contradicts itself: a mistake in caprun and not in the profile."},
}

// Rules returns the rules of this package, which are about the text of a
// profile alone.
func Rules() []Rule { return append([]Rule(nil), rules[:]...) }
