package cmdline

import (
	"encoding/json"

	"caprun/platform/containers"
)

// finish declares the identity, the sets and the command.
func (r *runner) finish(args []word) {
	r.UserHint = "write the number of the user, as in --user 33:33"
	switch {
	case r.user != nil && r.user.expands:
		r.request.User, r.request.NotRoot = r.SetVariableUser(r.user.value, "a shell expands the value of --user", r.user.at)
	case r.user != nil:
		r.request.User = r.engine.SetUser(&r.Draft, r.user.value, r.user.at)
	case r.keepID != nil:
		// Podman takes the user for another than root, without looking at the image.
		r.UnknownUser(r.keepID.at, "the user is that of the caller")
		r.request.User, r.request.Unknown = containers.OtherUser, true
	default:
		r.request.User = r.engine.SetUser(&r.Draft, "", r.At)
	}
	for _, g := range r.groups {
		if g.value == "keep-groups" && r.engine == containers.Podman {
			r.AddLoss(g.at, "the process has the groups of the caller")
			continue
		}
		r.Group(g.value, g.at)
	}
	r.engine.Declare(&r.Draft, r.request)
	r.entry(args)
}

// entry declares the program, if the command line replaces the entrypoint of the image.
func (r *runner) entry(args []word) {
	if r.entrypoint == nil || r.entrypoint.value == "" {
		switch {
		case len(args) == 0:
		case r.entrypoint != nil || r.rootfs:
			r.target(args)
		default:
			r.AddLoss(args[0].at, "the command is passed to the entrypoint of the image")
		}
		return
	}
	first := []string{r.entrypoint.value}
	if r.engine == containers.Podman {
		var list []string
		if json.Unmarshal([]byte(r.entrypoint.value), &list) == nil && len(list) > 0 {
			first = list
		}
	}
	program := make([]word, 0, len(first)+len(args))
	for _, text := range first {
		w := word{at: r.entrypoint.at}
		w.Text = text
		program = append(program, w)
	}
	r.target(append(program, args...))
}
