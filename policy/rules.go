package policy

// A Rule is a kind of diagnostic.
type Rule struct {
	Name     string // kebab-case; no other rule ever gets the same name
	Severity Severity
	Summary  string // one sentence that says what is wrong
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
	badGroup
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

// rules is the table of all rules of this package.
var rules = [...]Rule{
	fileTooLarge:  {"file-too-large", Error, "The file is larger than 64 KiB."},
	badEncoding:   {"bad-encoding", Error, "The file is not UTF-8, or begins with a byte order mark."},
	badCharacter:  {"bad-character", Error, "The file contains a control character, a bidirectional control or an uncommon line break, raw or as an escape."},
	badSyntax:     {"bad-syntax", Error, "The file is not valid YAML."},
	emptyFile:     {"empty-file", Error, "The file contains no profile."},
	manyDocuments: {"many-documents", Error, "The file contains more than one YAML document."},
	yamlFeature:   {"yaml-feature", Error, "The file uses an anchor, an alias, a merge key, a tag or a directive."},
	tooComplex:    {"too-complex", Error, "The file has too many levels or too many values."},

	unknownKey:      {"unknown-key", Error, "The profile format does not have this key."},
	duplicateKey:    {"duplicate-key", Error, "A mapping contains the same key twice."},
	missingKey:      {"missing-key", Error, "A required key is missing."},
	conflictingKeys: {"conflicting-keys", Error, "Two keys are mutually exclusive."},
	nullValue:       {"null-value", Error, "A key or a list item has no value."},
	ambiguousValue:  {"ambiguous-value", Error, "A word such as yes, 12:30 or = is text to some YAML readers and something else to others."},
	badType:         {"bad-type", Error, "The value has the wrong type for its key, such as a number in quotes."},
	badNumber:       {"bad-number", Error, "A number is not in plain decimal digits: it has a plus sign, a leading zero, underscores, a fraction or an exponent."},
	tooLong:         {"too-long", Error, "A text or a list exceeds its limit."},
	duplicateItem:   {"duplicate-item", Error, "A list contains the same item twice."},

	badVersion: {"bad-version", Error, "The version of the format is not 1."},
	badName:    {"bad-name", Error, "The name of the profile is not 1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit."},
	badCommand: {"bad-command", Error, "The command does not name a program."},

	badUser:    {"bad-user", Error, "The user is neither a valid name in /etc/passwd nor a plain number."},
	badGroup:   {"bad-group", Error, "A group is neither a valid name in /etc/group nor a plain number."},
	badID:      {"bad-id", Error, "A user ID or group ID is not in the range 0 to 4294967294."},
	missingUID: {"missing-uid", Error, "gid and groups require uid or user."},
	missingGID: {"missing-gid", Error, "uid requires gid; otherwise the target keeps the caller's group."},

	badCaps:           {"bad-caps", Error, "The value of caps is not a valid libcap text."},
	badIAB:            {"bad-iab", Error, "The value of iab is not a valid libcap text."},
	unknownCapability: {"unknown-capability", Error, "No kernel has a capability with this name or number."},
	discardedClause:   {"discarded-clause", Error, "A later clause of caps with '=' discards this one, but C tools keep both."},

	unknownMode:    {"unknown-mode", Error, "The mode is not HYBRID, PURE1E_INIT, PURE1E or NOPRIV."},
	unknownSecbit:  {"unknown-secbit", Error, "No securebit has this name."},
	keepCaps:       {"keep-caps", Error, "keep_caps cannot be set for the target, because exec clears it."},
	lockWithoutBit: {"lock-without-bit", Error, "A lock without its securebit keeps the securebit cleared permanently."},
	cannotUnset:    {"cannot-unset", Error, "no_new_privs or new_session is false, but no process can undo them."},

	badPath:  {"bad-path", Error, "A path is not absolute, or not in its shortest form."},
	badUmask: {"bad-umask", Error, "The umask is not three or four octal digits in quotes."},

	badVariable:         {"bad-variable", Error, "A variable name has other characters than letters, digits, '_', '.' and '-', or begins with a digit, '.' or '-'."},
	conflictingVariable: {"conflicting-variable", Error, "An environment variable is both passed to the target and removed."},

	unknownRlimit: {"unknown-rlimit", Error, "No resource limit has this name."},
	badRlimit:     {"bad-rlimit", Error, "A resource limit is neither a whole number nor unlimited, or its soft limit is above its hard limit."},
	badDescriptor: {"bad-descriptor", Error, "A descriptor in keep_fds is not in the range 3 to 1048575."},
	badKeyring:    {"bad-keyring", Error, "The value of keyring is not inherit."},

	badSuppression: {"bad-suppression", Error, "An entry of lint.ignore has an invalid rule, reason, date or list of capabilities."},

	internalError: {"internal-error", Error, "caprun has a bug; the profile is not the cause."},
}

// Rules returns the rules of this package, which are about the text of a
// profile alone.
func Rules() []Rule { return append([]Rule(nil), rules[:]...) }
