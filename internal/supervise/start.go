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

// Start carries out the launch in this process, which executes the target. It returns
// the exit status only if the launch failed or r.DryRun is set; the process must then
// exit, because its state has changed.
func (r Request) Start(env *render.Env) int {
	p, diagnostics := policy.Parse(r.Profile, r.Text)
	if p == nil {
		return refuseProfile(env, diagnostics)
	}
	plan, err := engine.Prepare(p, r.Argv, &engine.Caller{Cred: r.From, DeathSignal: r.Death, Supervised: r.supervisor != 0})
	var none *engine.NoPlanError
	switch {
	case errors.As(err, &none):
		return refuseProfile(env, none.Diagnostics)
	case err != nil:
		return Refuse(env, err)
	}
	if machine.HasPrivilege(plan.Caller) && !r.Strict {
		return Refuse(env, fmt.Errorf("profile %s was read before caprun had privilege; run caprun again", r.Profile))
	}
	for _, e := range plan.WritablePaths() {
		d := plan.WritablePathDiagnostic(e)
		if e.Key == "command" && len(r.Argv) > 0 {
			d.Position = policy.Position{} // the target is not from the profile
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

// dryRun does every step except exec, and prints the plan.
func dryRun(env *render.Env, plan *engine.Plan) error {
	var printed error
	err := plan.DryRun(func(cred.Cred) {
		printed = render.Plan(env.Stdout, plan, render.PlanView{As: "current", Environ: os.Environ(), Colour: env.Colour})
		fmt.Fprintln(env.Stdout, "\nEvery step except exec was done. The state read back is the predicted one.")
	})
	if err == nil {
		err = printed
	}
	return err
}
