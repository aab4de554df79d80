//go:build mips || mipsle || mips64 || mips64le

package machine

// rlimitNames has the names of the limits by RLIMIT_ number, which MIPS
// numbers its own way: getrlimit(2).
var rlimitNames = [...]string{
	"cpu", "fsize", "data", "stack", "core", "nofile", "as", "rss", "nproc",
	"memlock", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
}
