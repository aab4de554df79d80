package observe

import (
	"fmt"
	"regexp"
	"strconv"
)

// Before Linux 6.14 there is no tracepoint for capability checks: the observer makes two
// kprobe events (Documentation/trace/kprobetrace.rst), one for the start of the function
// cap_capable and one for its end.

// probeGroup is the system of the probes, as tracefs calls it.
const probeGroup = "caprun"

// A probeOwner is the process that made probes. Its start time tells it from a later
// process with the same PID.
type probeOwner struct {
	pid   int
	start uint64 // field 22 of /proc/PID/stat
}

// probeNames returns the names of the two probes of the nth observer of a process. They
// are unique in tracefs, as kprobe_profile has them without the group.
func (o probeOwner) probeNames(n int) (check, result string) {
	tag := fmt.Sprintf("%d_%d_%d", o.pid, o.start, n)
	return "check_" + tag, "result_" + tag
}

// probeCommands returns the lines of kprobe_events that make the probes. The fields have
// the names of the tracepoint where there are equal ones.
//
// cap_capable(cred, target_ns, cap, opts) does not sleep, so few calls run at once; the
// limit of 1024 is for those that are interrupted.
func probeCommands(check, result string) [2]string {
	return [2]string{
		"p:" + probeGroup + "/" + check + " cap_capable target_ns=$arg2:x64 cap=$arg3:s32 opts=$arg4:u32",
		"r1024:" + probeGroup + "/" + result + " cap_capable ret=$retval:s32",
	}
}

// probeLine matches a line of kprobe_events with one of our probes.
var probeLine = regexp.MustCompile(`(?m)^[pr][0-9]*:` + probeGroup + `/((?:check|result)_([1-9][0-9]{0,9})_([0-9]{1,20})_[0-9]{1,9}) `)

// parseProbes returns our probes in the text of kprobe_events, by their owners.
func parseProbes(text string) map[probeOwner][]string {
	found := map[probeOwner][]string{}
	for _, m := range probeLine.FindAllStringSubmatch(text, -1) {
		pid, errPID := strconv.ParseInt(m[2], 10, 32)
		start, errStart := strconv.ParseUint(m[3], 10, 64)
		if errPID != nil || errStart != nil {
			continue // not ours
		}
		owner := probeOwner{int(pid), start}
		found[owner] = append(found[owner], m[1])
	}
	return found
}

// missed returns the number of calls that a probe missed, from the text of kprobe_profile:
// its lines have the name, the hits and the misses.
func missed(profile string, names ...string) (n uint64) {
	for _, name := range names {
		line := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(name) + `\s+[0-9]+\s+([0-9]+)\s*$`)
		if m := line.FindStringSubmatch(profile); m != nil {
			count, _ := strconv.ParseUint(m[1], 10, 63)
			n += count
		}
	}
	return n
}
