package render

import (
	"io"
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// jsonPlan is the JSON form of a plan.
type jsonPlan struct {
	Version       int             `json:"version"`
	Profile       jsonProfile     `json:"profile"`
	Sealed        *Sealed         `json:"sealed,omitempty"` // of a sealed launcher
	Caller        jsonCaller      `json:"caller"`
	Kernel        string          `json:"kernel"` // MAJOR.MINOR, or "running"
	Target        jsonTarget      `json:"target"`
	Route         string          `json:"route"`
	Steps         []jsonStep      `json:"steps"`
	Before        jsonPlanCred    `json:"before"` // after the last step before exec
	After         jsonPlanCred    `json:"after"`  // at the target's first instruction
	AtSecure      bool            `json:"at_secure"`
	Reachable     []string        `json:"reachable"`
	InheritedKeys []string        `json:"inherited_keys"` // the keys of inherited
	Inherited     []jsonInherited `json:"inherited"`
	Environment   jsonEnvironment `json:"environment"`
}

// jsonInherited is an attribute that the target inherits from the caller.
type jsonInherited struct {
	Group string  `json:"group"`
	Name  string  `json:"name"`
	Key   *string `json:"key"` // of a profile that sets it; null if there is none
}

type jsonProfile struct {
	File        string `json:"file"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

type jsonCaller struct {
	As   string   `json:"as"`
	Cred jsonCred `json:"credentials"`
}

// jsonTarget is the target. All fields are null for an ordinary program.
type jsonTarget struct {
	Path  *string    `json:"path"`
	File  *string    `json:"file"` // the executed file: the interpreter of a script
	Facts *jsonFacts `json:"facts"`
}

// jsonFacts are the properties of a file that decide which privileges it grants.
type jsonFacts struct {
	SetUID    bool          `json:"setuid"`
	SetGID    bool          `json:"setgid"` // and executable by its group
	UID       uint32        `json:"uid"`
	GID       uint32        `json:"gid"`
	NoSUID    bool          `json:"nosuid"`    // of the mount, or another mount namespace: the kernel ignores set-id bits and file capabilities
	Caps      *jsonFileCaps `json:"file_caps"` // null if none
	Privilege string        `json:"text"`
}

type jsonFileCaps struct {
	Permitted   []string `json:"permitted"`
	Inheritable []string `json:"inheritable"`
	Effective   bool     `json:"effective"`
}

type jsonStep struct {
	Kind   string   `json:"kind"`
	Text   string   `json:"text"`
	Key    *string  `json:"key"`            // null if no key is the reason
	File   string   `json:"file,omitempty"` // of another platform, which has the declaration
	Line   *int     `json:"line"`
	Column *int     `json:"column"`
	Needs  []string `json:"needs"`
	NoOp   bool     `json:"no_op"` // it changes nothing and is skipped
}

// jsonPlanCred is the predicted state of a target whose user and groups may not have
// been looked up: ids that are not known are null. They take the place of the
// fields with the same keys.
type jsonPlanCred struct {
	User       string    `json:"user,omitempty"`        // whose ids are not known
	GIDName    string    `json:"gid_name,omitempty"`    // of the group whose gid is not known
	GroupNames []string  `json:"group_names,omitempty"` // of those in groups whose gids are not known
	UID        *jsonIDs  `json:"uid"`
	GID        *jsonIDs  `json:"gid"`
	Groups     *[]uint32 `json:"groups"`
	jsonCred
}

type jsonEnvironment struct {
	KeepAll  bool      `json:"keep_all"`
	Keep     []string  `json:"keep"`
	Set      []string  `json:"set"`
	Unset    []string  `json:"unset"`
	Identity *[]string `json:"identity"` // NAME=VALUE; null when the user is not known
	Loader   []string  `json:"loader"`   // removed; LD_* stands for all of them
}

// PlanJSON prints a plan for programs.
func PlanJSON(w io.Writer, p *engine.Plan, v PlanView) error { return JSON(w, newJSONPlan(p, v)) }

func newJSONPlan(p *engine.Plan, v PlanView) jsonPlan {
	kernel := engine.LatestKernel().String()
	switch {
	case v.Kernel != nil:
		kernel = v.Kernel.String()
	case v.As == "current":
		kernel = "running"
	}
	j := jsonPlan{
		Version:       FormatVersion,
		Profile:       jsonProfile{p.Profile.File, p.Profile.Name, p.Profile.Description},
		Sealed:        v.Sealed,
		Caller:        jsonCaller{v.As, newJSONCred(p.Caller)},
		Kernel:        kernel,
		Target:        newJSONTarget(p.Target),
		Route:         p.Route.String(),
		Steps:         []jsonStep{},
		Before:        newJSONPlanCred(p, p.BeforeExec),
		After:         newJSONPlanCred(p, p.AfterExec),
		AtSecure:      p.SecureExec,
		Reachable:     p.Reachable(),
		InheritedKeys: []string{},
		Inherited:     []jsonInherited{},
		Environment:   newJSONEnvironment(p.EnvironChange()),
	}
	for _, s := range p.Steps {
		j.Steps = append(j.Steps, newJSONStep(p, s, v))
	}
	for _, i := range p.Inherited() {
		row := jsonInherited{Group: i.Group, Name: i.Name}
		if i.Key != "" {
			row.Key = &i.Key
			if !slices.Contains(j.InheritedKeys, i.Key) {
				j.InheritedKeys = append(j.InheritedKeys, i.Key)
			}
		}
		j.Inherited = append(j.Inherited, row)
	}
	return j
}

func newJSONTarget(t engine.Target) jsonTarget {
	if t.Path == "" {
		return jsonTarget{}
	}
	f := t.File
	facts := &jsonFacts{SetUID: f.Setuid, SetGID: f.Setgid && f.GroupExec, UID: f.UID, GID: f.GID, NoSUID: f.NoSuid, Privilege: t.Effect()}
	if f.HasCaps {
		facts.Caps = &jsonFileCaps{f.Permitted.Names(), f.Inheritable.Names(), f.Effective}
	}
	return jsonTarget{&t.Path, &t.FilePath, facts}
}

func newJSONStep(p *engine.Plan, s engine.Step, v PlanView) jsonStep {
	j := jsonStep{Kind: s.Name(), Text: p.Describe(s), Needs: s.Needs.Names(), NoOp: s.NoOp}
	if file, at := v.origin(p, s); s.Key != "" && at.IsKnown() {
		j.Key, j.File, j.Line, j.Column = &s.Key, file, &at.Line, &at.Column
	}
	return j
}

func newJSONPlanCred(p *engine.Plan, c cred.Cred) jsonPlanCred {
	j := jsonPlanCred{jsonCred: newJSONCred(c)}
	uid, gid, groups := p.KnownIDs()
	if uid {
		j.UID = &j.jsonCred.UID
	}
	if gid {
		j.GID = &j.jsonCred.GID
	}
	if groups {
		j.Groups = &j.jsonCred.Groups
	}
	note := func(of machine.Unknown) {
		if of.User != "" {
			j.User = of.User
		}
	}
	if of, unknown := p.Identity.UnknownUID(p.Identity.UID); unknown {
		note(of)
	}
	if of, unknown := p.Identity.UnknownGID(p.Identity.GID); unknown {
		note(of)
		j.GIDName = of.Group
	}
	for _, g := range p.Identity.Groups {
		of, unknown := p.Identity.UnknownGID(g)
		if !unknown {
			continue
		}
		note(of)
		if of.Group != "" {
			j.GroupNames = append(j.GroupNames, of.Group)
		}
	}
	return j
}

func newJSONEnvironment(c engine.EnvironChange) jsonEnvironment {
	list := func(names []string) []string { return append([]string{}, names...) }
	j := jsonEnvironment{KeepAll: c.KeepAll, Keep: list(c.Keep), Set: list(c.Set), Unset: list(c.Unset), Loader: list(c.Loader)}
	if !c.UserUnknown {
		identity := list(c.Identity)
		j.Identity = &identity
	}
	return j
}
