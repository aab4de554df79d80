package observe

// A registerLayout says which user registers a sample has on one architecture, and what
// they mean at a system call.
type registerLayout struct {
	mask uint64 // PERF_SAMPLE_REGS_USER, by the numbers of asm/perf_regs.h

	// Positions in the sample, which has the registers in the order of their numbers.
	args   [6]int
	ip, sp int

	// argLostAtExit reports that the first argument is not known at the exit of the call,
	// because its register has the result.
	argLostAtExit bool
}

// registersOf has the layouts by GOARCH.
var registersOf = map[string]*registerLayout{
	// dx=3 si=4 di=5 sp=7 ip=8 r8=16 r9=17 r10=18; the arguments are di, si, dx, r10, r8 and r9.
	"amd64": {
		mask: 1<<3 | 1<<4 | 1<<5 | 1<<7 | 1<<8 | 1<<16 | 1<<17 | 1<<18,
		args: [6]int{2, 1, 0, 7, 5, 6}, sp: 3, ip: 4,
	},
	// x0 to x5 are 0 to 5, sp=31, pc=32.
	"arm64": {
		mask: 1<<6 - 1 | 1<<31 | 1<<32,
		args: [6]int{0, 1, 2, 3, 4, 5}, sp: 6, ip: 7, argLostAtExit: true,
	},
}

// Registers are those of a thread in user mode, when it entered the kernel.
type registers struct {
	valid  bool // of a 64-bit program
	args   [6]uint64
	ip, sp uint64
}

// sameCall reports whether two samples of one thread were taken in the same system call,
// as far as the registers show.
func (l *registerLayout) sameCall(a, b registers) bool {
	if l.argLostAtExit {
		a.args[0], b.args[0] = 0, 0
	}
	return a.valid && a == b
}
