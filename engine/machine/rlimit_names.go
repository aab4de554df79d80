//go:build !mips && !mipsle && !mips64 && !mips64le

package machine

// rlimitNames has the names of the limits by RLIMIT_ number, see getrlimit(2).
var rlimitNames = [...]string{
	"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
	"memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
}
