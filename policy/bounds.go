package policy

// Every input has a bound. A profile that uses every key has about a hundred
// values; the bounds allow unusual ones, and keep a hostile file from taking
// long or filling a terminal.
const (
	// MaxSize is the largest length of a profile in bytes. YAML readers take
	// quadratic time for some files, which is still short at this size.
	MaxSize = 64 << 10

	// The format has five levels.
	maxDepth = 16

	// The largest lists that the format allows, several of them.
	maxNodes = 8192

	// The length, and the number of brackets, up to which the place of a
	// syntax error is searched: the search reads the file a dozen times, and
	// yaml.v3 takes quadratic time for brackets. In a larger file the place is
	// the line that yaml.v3 names.
	maxSearched = 8 << 10
	maxBrackets = 256

	// A file with more forbidden characters is not text.
	maxBadCharacters = 10

	// Nobody fixes more mistakes before the next check.
	maxFound = 256

	// This much fits in a message.
	maxNameLength = 64

	// A few lines of a terminal.
	maxMessageLength = 300

	// A page to read.
	maxDescriptionLength = 4096

	// Each of the 41 names in three clauses has less than 3000 bytes.
	maxCapabilityText = 4096

	// Far more than a review covers; the kernel accepts two million.
	maxArguments = 1024

	// A quarter of what the kernel accepts in one argument or variable
	// (MAX_ARG_STRLEN, 128 KiB).
	maxArgumentLength = 32 << 10

	// The kernel accepts 65536 (NGROUPS_MAX); directory services stop at 1015.
	maxGroups = 1024

	// An environment in a reviewed profile is far smaller.
	maxVariables = 1024

	// Far longer than any name in use.
	maxVariableLength = 255

	// LOGIN_NAME_MAX without its final NUL; shadow's limit for the names of groups is less.
	maxAccountName = 255

	// More than there are rules.
	maxIgnored = 128

	// A paragraph.
	maxReasonLength = 500

	// PATH_MAX without its final NUL.
	maxPathLength = 4095

	// The usual limit on open files.
	maxDescriptors = 1024

	// One less than the default of fs.nr_open.
	maxDescriptor = 1<<20 - 1

	// 4294967295 is (uid_t)-1, which means "no change" to the kernel.
	maxID = 1<<32 - 2

	// The largest number that all YAML and JSON readers with 64 bits keep exact.
	// The kernel's largest number means unlimited, and has that name here.
	maxRlimit = 1<<63 - 1

	maxUmask = 0o777
)
