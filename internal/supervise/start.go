package supervise

import (
	"errors"
	"fmt"
	"os"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/policy"
)

// Start carries out the launch in this process, which becomes the target. It
// returns the exit status only if the launch failed or r.DryRun is set. The process
// is changed and must exit.
func (r Request) Start(env *render.Env) int {
	p, diagnostics := policy.Parse(r.Profile, r.Text)
	if p == nil {
		return refuseProfile(env, diagnostics)
	}
	plan, err := engine.Prepare(p, r.Argv, &engine.Caller{Cred: r.From, DeathSignal: r.Death})
	var none *engine.NoPlanError
	switch {
	case errors.As(err, &none):
		return refuseProfile(env, none.Diagnostics)
	case err != nil:
		return Refuse(env, err)
	}
	if machine.HasPrivilege(plan.Caller) && !r.Strict {
		return Refuse(env, fmt.Errorf("profile %s: it was read as by a caller without privilege, and the caller has some; start again", r.Profile))
	}
	for _, e := range plan.WritablePaths() {
		d := plan.WritablePathDiagnostic(e)
		if e.Key == "command" && len(r.Argv) > 0 {
			d.Position = policy.Position{} // the program is not the profile's
		}
		env.ReportAt(d.File, d.Position, "warning: "+render.WithHint(d.Message, d.Hint))
	}
	if r.DryRun {
		err = dryRun(env, plan)
	} else {
		err = plan.Exec()
	}
	if err != nil {
		return Refuse(env, err)
	}
	return 0
}

// dryRun does every step but the exec, and prints the plan.
func dryRun(env *render.Env, plan *engine.Plan) error {
	var printed error
	err := plan.DryRun(func(cred.Cred) {
		printed = render.Plan(env.Stdout, plan, render.PlanView{As: "current", Environ: os.Environ(), Colour: env.Colour})
		fmt.Fprintln(env.Stdout, "\nEvery step but the exec was done, and the state read back is the predicted one.")
	})
	if err == nil {
		err = printed
	}
	return err
}
