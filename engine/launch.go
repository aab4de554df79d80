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

// Exec replaces the calling process with the target, which starts with
// exactly the predicted credentials, or returns a *machine.Error; the process
// must end then. It needs a plan that Prepare made for the present state.
//
// After the last step the state is read back from the kernel and compared
// with the prediction, and the files of the target are looked at again.
func (p *Plan) Exec() error { return p.exec(nil) }

// DryRun does all that Exec does but the exec, and calls done with the state
// read back before it returns. The process is changed and must end.
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

func (p *Plan) fail(key, what string, err error, hint string) error {
	return &machine.Error{Profile: p.Profile, Key: key, Subject: what, Err: err, Hint: hint}
}

func (p *Plan) failExec(what string, err error, hint string) error {
	return &machine.Error{Profile: p.Profile, Key: "command", Subject: what, Err: err, Hint: hint, NotExecutable: true}
}

// checkCaller refuses what the plan was not made for.
func (p *Plan) checkCaller() error {
	if p.Target.Path == "" {
		return p.fail("command", "exec", errors.New("the plan is for no particular program"), "find the target first")
	}
	if !p.Identity.Resolved {
		return p.fail("user", "set uid", errors.New("the user has not been looked up"), "look it up first")
	}
	now, err := machine.CurrentCred()
	if err != nil {
		return p.fail("", "read the caller's state", err, "")
	}
	now.Chrooted, now.Traced, now.TracerUID, now.SharedFS = p.Caller.Chrooted, p.Caller.Traced, p.Caller.TracerUID, p.Caller.SharedFS
	if diff := now.Diff(p.Caller); diff != nil {
		return p.fail("", "read the caller's state", diffError(diff, p.Caller, now), "compile the plan again")
	}
	if err := p.checkDescriptors(); err != nil {
		return err
	}
	return p.checkTracer()
}

// checkDescriptors refuses what no step would notice.
func (p *Plan) checkDescriptors() error {
	around, err := machine.ReadResources(p.Profile)
	if err != nil {
		return p.fail("", "read the caller's state", err, "")
	}
	for _, s := range p.Steps {
		if s.Kind != cap.StepCloseOnExec && s.Kind != cap.StepChroot {
			continue
		}
		if r := refuseResource(around, p.Caller, p.Profile, s.Step); r != nil {
			return p.fail(r.key, r.what, errors.New(r.why), r.hint)
		}
	}
	return nil
}

// checkTracer refuses a launch whose outcome a tracer without cap_sys_ptrace would
// change: the kernel withholds then what exec would give. What a tracer had when it
// attached, which is what counts, cannot be read.
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
		return p.fail("", "exec", fmt.Errorf("cannot determine whether a tracer is attached, and the outcome depends on it: %w", err), "mount /proc")
	}
	if pid != 0 {
		return p.fail("", "exec", fmt.Errorf("thread %d traces caprun, and the outcome depends on whether it had cap_sys_ptrace when it attached, which cannot be read: "+
			"without it, the kernel withholds what the exec gives", pid), "start caprun without the tracer")
	}
	return nil
}

// readBack compares the state of the thread, and the files of the target,
// with what the plan predicts just before exec.
func (p *Plan) readBack() (cred.Cred, error) {
	got, err := machine.CurrentCredWithoutProc()
	if err != nil {
		return got, p.fail("", "read back", err, "")
	}
	want := p.BeforeExec
	got.UserNS, got.Chrooted, got.Traced, got.TracerUID, got.SharedFS = want.UserNS, want.Chrooted, want.Traced, want.TracerUID, want.SharedFS
	if diff := got.Diff(want); diff != nil {
		return got, p.fail("", "read back", diffError(diff, want, got), "a filter of system calls keeps one from having its effect, or this is a kernel that caprun does not know, or a mistake in it: please report it")
	}
	if path, err := p.Target.CheckSearch(); err != nil {
		return got, p.failExec("exec "+path, err, "write the path of the program")
	}
	switch path, err := p.Target.CheckFiles(); {
	case errors.Is(err, machine.ErrFileChanged):
		return got, p.failExec("exec "+path, err, "start again, and see who can write it")
	case err != nil:
		return got, p.failExec("exec "+path, err, "the target's user must be able to reach it")
	}
	return got, nil
}

// diffError says in which dimensions two states differ.
func diffError(fields []string, want, got cred.Cred) error {
	parts := make([]string, len(fields))
	for n, f := range fields {
		parts[n] = fmt.Sprintf("%s is %s, not %s", f, FieldText(got, f), FieldText(want, f))
	}
	return errors.New(strings.Join(parts, ", "))
}

// stepError turns an error of the executor into one that names the place in the
// profile and a fix.
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
