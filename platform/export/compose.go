package export

import (
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/policy"
)

// Compose returns a compose file. Its service starts a sealed launcher of the profile,
// because Docker cannot give another user than root a capability; or the program if it has no
// capability. name is that of the service if the profile has none. The error is an [*Error].
func Compose(p *engine.Plan, name string) (*Result, error) {
	if d, err := newDirect(p, name, "Docker"); err != nil {
		return nil, err
	} else if d != nil {
		return d.compose(), nil
	}
	r, err := newRecipe(p, name)
	if err != nil {
		return nil, err
	}
	var w yamlWriter
	w.head(r, "Docker")
	w.line(0, "services:")
	w.line(1, "%s:", r.name)
	w.line(2, "image: %s", r.name)
	w.line(2, `entrypoint: ["/%s"]`, r.name)
	if args := r.command(); len(args) > 0 {
		w.line(2, "command: %s", list(args))
	}
	w.line(2, `user: "0:0"`)
	w.line(2, "cap_drop: [ALL]")
	r.capsComment(2, &w)
	w.comment(2, "With init: true, add KILL.")
	w.line(2, "cap_add: %s", r.added())
	if r.noNewPrivs {
		w.line(2, `security_opt: ["no-new-privileges:true"]`)
	}
	if caps := r.granted; caps.Has(int(cap.NET_BIND_SERVICE)) && r.AfterExec.UID != 0 {
		w.comment(2, "In a container of Docker every process can bind low ports. With this setting it needs the capability.")
		w.line(2, `sysctls: ["net.ipv4.ip_unprivileged_port_start=1024"]`)
	}
	if limits := r.composeLimits(); limits != "" {
		w.line(2, "ulimits: %s", limits)
	}
	r.Text = []byte(w.b.String())
	return &r.Result, nil
}

// composeLimits returns the limits that the container must have, so that the launcher can
// set those of the profile without cap_sys_resource. Docker cannot set the limit "as".
func (r *recipe) composeLimits() string {
	var parts []string
	for _, l := range r.Profile.Rlimits {
		if l.InheritHard || l.Name == "as" {
			continue
		}
		parts = append(parts, l.Name+": "+composeLimit(l.Hard))
	}
	if parts == nil {
		return ""
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// composeLimit returns a limit as compose files have it.
func composeLimit(n uint64) string {
	if n == policy.Unlimited {
		return "-1"
	}
	return policy.LimitText(n)
}
