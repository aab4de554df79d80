// Package export writes a plan for another platform: as a systemd unit, as the config.json
// of an OCI bundle, and as the parts of a manifest or a compose file that start a sealed
// launcher, or the program itself if it has no capability.
//
//	r, err := export.Systemd(plan, "web") // r.Text, r.Losses, r.Notes
//
// The plan must be one for the caller cred.Root and the target engine.OrdinaryTarget: the
// platform starts the program as root. [Systemd] and [OCI] compute the state that the
// platform leads to in the same model as the plan. If a platform lacks something, the
// program gets fewer capabilities than the plan grants, never more, and a [Loss] says so.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package export
