package observe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// Available returns nil if capability checks can be recorded here, or else an error that
// says what is missing and what to do.
func Available() error {
	err := available()
	if err != nil {
		return fmt.Errorf("record capability checks: %w", err)
	}
	return nil
}

func available() (err error) {
	points, trace, err := findTracepoints(false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trace.close()) }()
	if points.check.id == 0 {
		if err := trace.command(probeEvents, ""); err != nil {
			return explainProbes(err)
		}
	}
	fd, err := points.open(points.attributes(points.exit.id), 0, -1)
	if err != nil {
		return explainRefusal(fmt.Errorf("perf_event_open: %w", err))
	}
	return unix.Close(fd)
}

// findTracepoints reads where the tracepoints have their fields. check is the zero format
// if the kernel has no tracepoint of capability checks, or if probes are asked for.
func findTracepoints(probes bool) (t *tracepoints, trace tracefs, err error) {
	t = &tracepoints{lostCount: true}
	t.arch, t.registers = architecture, registersOf[architecture]
	if t.registers == nil {
		return nil, trace, fmt.Errorf("not supported on %s; it needs amd64 or arm64", architecture)
	}
	t.filter = exitFilter(t.arch)
	if err := checkProc(); err != nil {
		return nil, trace, err
	}
	if err := checkCapable(); err != nil {
		return nil, trace, err
	}
	if trace, err = openTracefs(); err != nil {
		return nil, trace, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(explainMissing(err), trace.close())
		}
	}()
	if t.exit, err = trace.format("raw_syscalls/sys_exit", "id", "ret"); err != nil {
		return nil, trace, err
	}
	if t.exec, err = trace.format("sched/sched_process_exec", "filename"); err != nil {
		return nil, trace, err
	}
	if probes {
		return t, trace, nil
	}
	t.check, err = trace.format("capability/cap_capable", "target_ns", "cap", "ret")
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, trace, err
	}
	return t, trace, nil
}

// makeProbes makes the probes that stand for the tracepoint, if that is missing.
func (t *tracepoints) makeProbes(trace tracefs) (err error) {
	if t.check.id != 0 {
		return nil
	}
	// What a killed observer left must not keep this one from working.
	_ = trace.removeStale()
	if t.probes, err = trace.makeProbes(); err != nil {
		return err
	}
	if t.check, err = trace.format(probeGroup+"/"+t.probes.check, "target_ns", "cap", "opts"); err != nil {
		return err
	}
	t.result, err = trace.format(probeGroup+"/"+t.probes.result, "ret")
	return err
}

// exitFilter returns the filter of the ends of system calls: those that failed with EPERM
// or EACCES, and those that set IDs.
func exitFilter(arch string) string {
	filter := fmt.Sprintf("ret == -%d || ret == -%d", errnoPerm, errnoAccess)
	var calls []string
	for _, name := range idCallNames {
		if number, found := callNumber(arch, name); found {
			calls = append(calls, fmt.Sprintf("id == %d", number))
		}
	}
	return filter + " || (ret == 0 && (" + strings.Join(calls, " || ") + "))"
}

// explainMissing says what to do if a tracepoint cannot be read.
func explainMissing(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: the kernel lacks a tracepoint; use a kernel with CONFIG_FTRACE_SYSCALLS", err)
	case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w; use uid 0", err)
	}
	return err
}

// checkCapable returns an error if this thread lacks the capability for perf events. It
// comes first because it has the reason of most other errors.
func checkCapable() error {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err
	}
	paranoid, err := os.ReadFile("/proc/sys/kernel/perf_event_paranoid")
	if errors.Is(err, unix.ENOENT) {
		return errors.New("perf events: the kernel does not have them; use a kernel with CONFIG_PERF_EVENTS")
	}
	if err != nil {
		return err
	}
	level := strings.TrimSpace(string(paranoid))
	if level == "-1" || perfmon(status) {
		return nil
	}
	return fmt.Errorf("neither cap_perfmon nor cap_sys_admin is effective, and kernel.perf_event_paranoid is %s; run it as uid 0, or grant cap_perfmon and cap_dac_read_search", level)
}

// perfmon reports whether a thread has the capability for perf events in its user
// namespace: perfmon_capable (include/linux/capability.h). status is the text of its file
// status. It returns true if that has no capabilities.
func perfmon(status []byte) bool {
	bits, err := strconv.ParseUint(statusField(status, "CapEff"), 16, 64)
	return err != nil || cred.Caps(bits).Has(unix.CAP_PERFMON) || cred.Caps(bits).Has(unix.CAP_SYS_ADMIN)
}

// statusField returns a value of a file status: proc_pid_status(5).
func statusField(status []byte, name string) string {
	for line := range bytes.Lines(status) {
		if value, found := bytes.CutPrefix(line, []byte(name+":")); found {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// explainRefusal says why perf_event_open(2) failed.
func explainRefusal(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: the kernel or a seccomp filter lacks it; use a kernel with CONFIG_PERF_EVENTS, or permit it in the seccomp filter", err)
	case errors.Is(err, unix.EMFILE):
		return fmt.Errorf("%w; raise the limit of open files", err)
	case !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES):
		return err
	}
	status, _ := os.ReadFile("/proc/thread-self/status")
	namespace, _ := os.Readlink("/proc/self/ns/user")
	return fmt.Errorf("%w: %s", err, refusal(status, namespace))
}

// refusal returns why perf_event_open(2) is not permitted. status is the text of the
// thread's file status, and namespace what its link ns/user leads to.
func refusal(status []byte, namespace string) string {
	const initial = "user:[4026531837]" // PROC_USER_INIT_INO of linux/proc_ns.h
	switch {
	case !perfmon(status):
		return "neither cap_perfmon nor cap_sys_admin is effective; grant cap_perfmon"
	case namespace != "" && namespace != initial:
		return "cap_perfmon is effective in this user namespace only; it is needed in the initial one"
	case statusField(status, "Seccomp") == "2":
		return "a seccomp filter is in force; permit perf_event_open in it"
	}
	return "a security module or kernel lockdown refuses it; permit tracing there"
}
