package language

// term is a word or phrase that the project does not use.
type term struct {
	// phrases, separated by |, are found as whole words, at the beginning of a
	// sentence too, and across the lines of a comment or paragraph.
	phrases string

	instead string

	// except are the beginnings of paths where it means something else.
	except []string
}

// libcap are the paths that use libcap's word for the sets of an IAB.
var libcap = []string{"cap/", "psx/", "internal/test/conformance/", "internal/test/load/"}

// inputs are profiles that are read, and what is reported about them.
var inputs = []string{"policy/testdata/"}

// terms are wrong wherever they stand. A word that is only sometimes wrong is listed
// within a phrase that always is.
var terms = []term{
	// For a word of the field.
	{"vectors | by vector | of the vector | each vector", "capability set", libcap},
	{"can be had | cannot be had | be had by | to be had | be had instead | be had here", "can be granted, is reachable", nil},
	{"is no capability | is no key | is no rule | is no limit | is no user | is no group | is no securebit | is no mode", "unknown capability X, …", nil},
	{"is no number | is no uid | is no gid | is no date | is no path | is no format | is no process", "invalid X: want …", nil},
	{"is no profile | is no regular file | is no file | is no directory", "not a …", nil},
	{"profile has no key | env has no key | rlimits has no key | lint has no key", "unknown key", nil},
	{"mend | mends | mended | mending | cure | cures | cured", "fix", nil},
	{"stranger | strangers", "other users, untrusted text", nil},
	{"room: | rooms", "package", inputs},
	{"stay the caller's | stays the caller's", "inherited from the caller", nil},
	{"already so", "unchanged, no change", nil},
	{"prospects", "reachable later", nil},
	{"exposure | exposures", "writable path", nil},
	{"what a supervisor has", "supervisor, child", nil},
	{"for a moment", "temporarily", nil},
	{"look again | looks again | second look", "verify, check", nil},
	{"set-user-id", "set-user-ID", inputs},
	{"set-ID", "set-id", nil},
	{"set-group-id", "set-group-ID", inputs},
	{"no good as pid 1", "not checked for PID 1 duties", nil},
	{"nothing that counts", "no unsuppressed findings", nil},
	{"trouble", "error", nil},

	// For a plain word.
	{"comes of | come of", "results from, the result of", nil},
	{"hand on | hands on | handed on", "pass on", nil},
	{"lest", "so that … not", nil},
	{"anew", "again", nil},
	{"whoever | whosoever | whomever", "a user who, a process that", nil},
	{"in place of", "instead of", nil},
	{"as good as", "almost, equivalent to", nil},
	{"what is there", "what exists", nil},
	{"is to have | are to have", "gets", nil},
	{"for good", "permanently", nil},
	{"for ever", "forever, without end", nil},
	{"goes on | go on", "continues", nil},
	{"stands in the way | stand in the way | is in the way | are in the way | be in the way", "prevents, blocks", nil},
	{"the rest of", "the other, the remaining", nil},
	{"for the sake of", "for, because of", nil},
	{"for want of", "without, because … is missing", nil},
	{"all the same", "even so, the same", nil},
	{"cannot be told", "cannot be determined, cannot tell", nil},
	{"by nobody", "by no process", nil},
	{"is no judge", "cannot decide", nil},
	{"somebody | anybody", "a user, anyone", nil},
	{"himself | herself", "directly", nil},
}

// identifiers are banned in Go files alone.
var identifiers = []term{
	{"engine.Host", "engine.CompileForHost", nil},
	{".Kept | .Stays", "Inherited", nil},
	{"Exposed | Exposure", "WritablePath", nil},
	{"lookAt | seeFile | sight", "statPath, readFileState, fileState", nil},
	{"secondLook | lookAgain", "validateSchema", nil},
	{"trail", "walkedPath", nil},
	{"giveUp | abandon", "fail, killChild", nil},
	{"takeOver", "rewritePIDVariable", nil},
	{"say( | say := | speaker | capSayer | sayBug", "report, reporter, reportCaps, reportInternal", nil},
	{"passage", "envPolicy", nil},
	{"internal/clean | creds/with | creds/heard", "internal/sanitize, internal/test/runas, internal/test/signalreport", nil},
}
