package engine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Exec replaces the calling process with the target, which starts with exactly the
// credentials AfterExec. The plan must come from [Prepare], and the state of the
// calling thread must be the one it was prepared for.
//
// After the last step Exec reads the state back from the kernel and compares it with
// BeforeExec, and verifies that the target's files are unchanged. Exec returns only if
// it fails, with a *machine.Error. The process may then have changed and must exit.
func (p *Plan) Exec() error { return p.exec(nil) }

// DryRun does everything that [Plan.Exec] does except the exec itself. It calls done
// with the state that it read back, and returns nil if the target would have started.
// The process has changed and must exit.
func (p *Plan) DryRun(done func(cred.Cred)) error {
	err := p.exec(done)
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}

var errDryRun = errors.New("dry run")

func (p *Plan) exec(dryRun func(cred.Cred)) error {
	runtime.LockOSThread()
	if err := p.checkCaller(); err != nil {
		return err
	}
	p.launcher.SetEnv(p.Environ(os.Environ()))
	p.launcher.SetBeforeExec(func() error {
		got, err := p.readBack()
		if err != nil {
			return err
		}
		if dryRun != nil {
			dryRun(got)
			return errDryRun
		}
		return nil
	})
	return p.stepError(p.launcher.Exec())
}

func (p *Plan) fail(key, subject string, err error, hint string) error {
	return &machine.Error{Profile: p.Profile, Key: key, Subject: subject, Err: err, Hint: hint}
}

func (p *Plan) failExec(subject string, err error, hint string) error {
	return &machine.Error{Profile: p.Profile, Key: "command", Subject: subject, Err: err, Hint: hint, NotExecutable: true}
}

// checkCaller refuses a plan that was not prepared for the present state.
func (p *Plan) checkCaller() error {
	if p.Target.Path == "" {
		return p.fail("command", "exec", errors.New("the plan names no program"), "make the plan with engine.Prepare")
	}
	if !p.Identity.Resolved {
		return p.fail("", "set IDs", errors.New("the user or a group was not looked up"), "make the plan with engine.Prepare")
	}
	if name := p.unknownLimit(); name != "" {
		return p.fail("rlimits."+name, "set limit "+name, errors.New("the caller's limit was not read"), "make the plan with engine.Prepare")
	}
	now, err := machine.CurrentCred()
	if err != nil {
		return p.fail("", "read the caller's state", err, "")
	}
	now.Chrooted, now.Traced, now.TracerUID, now.SharedFS = p.Caller.Chrooted, p.Caller.Traced, p.Caller.TracerUID, p.Caller.SharedFS
	if diff := now.Diff(p.Caller); diff != nil {
		return p.fail("", "read the caller's state", diffError(diff, p.Caller, now), "prepare the plan again")
	}
	if err := p.checkDescriptors(); err != nil {
		return err
	}
	return p.checkTracer()
}

// checkDescriptors checks the descriptors again: no step would notice a change.
func (p *Plan) checkDescriptors() error {
	resources, err := machine.ReadResources(p.Profile)
	if err != nil {
		return p.fail("", "read the caller's state", err, "")
	}
	for _, s := range p.Steps {
		if s.Kind != cap.StepCloseOnExec && s.Kind != cap.StepChroot {
			continue
		}
		if r := refuseResource(resources, p.Caller, p.Profile, s.Step); r != nil {
			return p.fail(r.key, r.subject, errors.New(r.why), r.hint)
		}
	}
	return nil
}

// checkTracer refuses a launch under a tracer if the result of exec depends on it: if
// the tracer had no cap_sys_ptrace when it attached, the kernel withholds what exec
// would grant. Whether it had the capability cannot be read.
func (p *Plan) checkTracer() error {
	before := p.BeforeExec
	before.Traced = !p.BeforeExec.Traced
	same := func(f cred.File) bool {
		other, _, _ := before.Exec(f, p.Target.KernelRules)
		other.Traced, other.TracerUID = p.AfterExec.Traced, p.AfterExec.TracerUID
		return other.Equal(p.AfterExec)
	}
	if same(p.Target.File) && !slices.ContainsFunc(p.Target.Alternatives, func(a machine.Alternative) bool { return !same(a.File) }) {
		return nil
	}
	pid, err := machine.Tracer()
	if err != nil {
		return p.fail("", "exec", fmt.Errorf("cannot determine whether a tracer is attached, which would change what exec grants: %w", err), "mount /proc")
	}
	if pid != 0 {
		return p.fail("", "exec", fmt.Errorf("thread %d traces caprun: what exec grants depends on whether the tracer had cap_sys_ptrace when it attached, "+
			"which caprun cannot determine", pid), "start caprun without the tracer")
	}
	return nil
}

// readBack compares the state of the thread with the predicted BeforeExec, and the
// target's files with those that the plan was made for.
func (p *Plan) readBack() (cred.Cred, error) {
	got, err := machine.CurrentCredWithoutProc()
	if err != nil {
		return got, p.fail("", "read back", err, "")
	}
	want := p.BeforeExec
	got.UserNS, got.Chrooted, got.Traced, got.TracerUID, got.SharedFS = want.UserNS, want.Chrooted, want.Traced, want.TracerUID, want.SharedFS
	if diff := got.Diff(want); diff != nil {
		return got, p.fail("", "read back", diffError(diff, want, got), "a system call filter (seccomp) may have suppressed a step; if there is none, report this as a bug")
	}
	if path, err := p.Target.CheckSearch(); err != nil {
		return got, p.failExec("exec "+path, err, "write the absolute path of the program")
	}
	switch path, err := p.Target.CheckFiles(); {
	case errors.Is(err, machine.ErrFileChanged):
		return got, p.failExec("exec "+path, err, "start caprun again, and check who can write the file")
	case err != nil:
		return got, p.failExec("exec "+path, err, "give the target's user access to the file")
	}
	return got, nil
}

// diffError returns an error that names the fields in which two states differ.
func diffError(fields []string, want, got cred.Cred) error {
	parts := make([]string, len(fields))
	for n, f := range fields {
		parts[n] = FieldName(f) + " differs"
		if is, not := FieldText(got, f), FieldText(want, f); is != not {
			parts[n] = fmt.Sprintf("%s is %s, not %s", FieldName(f), is, not)
		}
	}
	return errors.New(strings.Join(parts, ", "))
}

// stepError adds the profile key and a hint to an error of cap.Launcher.
func (p *Plan) stepError(err error) error {
	var failed *cap.StepError
	if !errors.As(err, &failed) {
		return err
	}
	step := Step{Step: &failed.Step}
	for _, s := range p.Steps {
		if s.Kind == failed.Step.Kind && s.Resource == failed.Step.Resource {
			step.Key, step.Needs = s.Key, s.Needs
		}
	}
	cause := fmt.Errorf("%s: %w", failed.Call, failed.Err)
	if step.Kind == cap.StepExec {
		return p.failExec(p.Describe(step), cause, stepHint(failed))
	}
	return p.fail(step.Key, p.Describe(step), cause, stepHint(failed))
}
