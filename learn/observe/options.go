package observe

// Options limit what an Observer needs. The zero value is right for most programs.
type Options struct {
	// FirstThread says that the process may have more threads when Open is called, of which
	// only the first one executes a program or creates a process.
	FirstThread bool

	// Limit is the number of checks, of failures, of executions and of ID changes that
	// are kept, for each of these lists. Further checks and failures are added to the
	// Count of an earlier one of the same kind; the first ones of up to 4096 further kinds
	// are kept. Other events are added to Recording.Lost. 0 means DefaultLimit.
	Limit int

	// RingSize is the size in bytes of the ring of each CPU. It is rounded down to a power
	// of two of pages, and reduced if the kernel refuses to lock as much memory. 0 means 1
	// MiB for each CPU, and less if there are more than 64 CPUs.
	RingSize int

	probes bool // use probes, even if there is a tracepoint
}

// DefaultLimit is the number of events of each kind that are kept: about 30 MB.
const DefaultLimit = 65536
