package launcher

import "caprun/seal/internal/op"

// The layout of a block with the state of the credentials. Each word has 8 bytes; an ID has
// 4, and the four IDs are the real, effective, saved and file system ID.
const (
	stateUID    = 0
	stateGID    = 16
	stateE      = 32
	stateP      = 40
	stateI      = 48
	stateB      = 56
	stateA      = 64
	stateBits   = 72
	stateNNP    = 80
	stateSize   = 88
	stateLength = stateSize / 8
)

// stateWords name the words of a block in messages.
var stateWords = [stateLength]string{
	"uid", "uid", "gid", "gid", "effective", "permitted", "inheritable", "bounding",
	"ambient", "securebits", "no_new_privs",
}

// frame has the offsets in the frame.
type frame struct {
	step, subject, status int64 // for messages

	argv, env, envEnd int64 // addresses: of the arguments from the program's name on; of the new environment and its end
	path              int64 // address of the path for execve(2): the name of the program, until it is found in PATH
	class             int64 // a set of one class, as a bit

	now, start, want int64 // blocks

	caps          int64 // struct __user_cap_header_struct, then two of struct __user_cap_data_struct
	parent, death int64 // the caller's parent and parent-death signal
	groupsChanged int64 // 1 if the step of the groups has changed them
	groupCount    int64 // of the groups to expect at the end
	groups        int64 // the address of the caller's groups, if the profile declares none
	buffer        int64 // bufferSize bytes for results of system calls
	pair, second  int64 // 16 bytes in a row for everyone, for a few operations: see the package documentation
	hangup        int64 // the actions of SIGHUP: the caller's, ignored, and the one read
	blocked       int64 // masks of blocked signals: one to set, and the caller's
	headLength    int64 // number of bytes in head
	head          int64 // the beginning of a file
	interpreter   int64 // the path of an interpreter
	current       int64 // the address of the path of the file that is examined
	depth         int64 // how many interpreters led to it
	saved         int64 // the state of that file: struct statx
	program       int64 // a descriptor of the program, opened before the uid changes; -1 if there is none
	envAdded      int64 // the address of the first entry that the plan adds
	noLoader      int64 // 1 if the loader variables are removed
	groupBuffer   int64 // for a list of groups that buffer has no room for; 0 if there is none
}

// bufferSize is enough for struct statx, a first line, a path of mountinfo and a message.
const bufferSize = 512

func (g *generator) layFrame() {
	f := &g.frame
	// Back ends reach the first 256 bytes with the shortest instructions, so what is used
	// most comes first.
	f.now = g.Slot(stateSize)
	for _, slot := range []*int64{
		&f.step, &f.status, &f.pair, &f.second, &f.class, &f.envEnd, &f.env, &f.path, &f.subject, &f.current, &f.argv,
		&f.depth, &f.death, &f.groupCount, &f.headLength,
	} {
		*slot = g.Slot(8)
	}
	f.caps = g.Slot(32)
	f.buffer = g.Slot(bufferSize)
	f.want, f.start = g.Slot(stateSize), g.Slot(stateSize)
	for _, slot := range []*int64{&f.parent, &f.groupsChanged, &f.groups} {
		*slot = g.Slot(8)
	}
	f.head, f.interpreter, f.saved = g.Slot(headSize), g.Slot(headSize+8), g.Slot(statxSize)
	g.fail, g.failWith, g.noEffect = g.NewLabel(), g.NewLabel(), g.NewLabel()
}

// wantConst stores a constant in a word of the block want.
func (g *generator) wantConst(word int64, v uint64) { g.set(g.frame.want+word, int64(v)) }

// wantIDs stores an ID in all four places of the block want.
func (g *generator) wantIDs(word int64, id uint32) {
	g.Const(op.R0, fourIDs(id))
	g.store(op.R0, g.frame.want+word)
	g.store(op.R0, g.frame.want+word+8)
}

// fourIDs returns a word with an ID in both halves.
func fourIDs(id uint32) int64 { return int64(uint64(id) | uint64(id)<<32) }
