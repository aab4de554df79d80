package declared

import "caprun/policy"

// A Rule is the kind of a finding about a file of a platform.
type Rule int

const (
	// Syntax is for a file that the platform or caprun cannot read.
	Syntax Rule = iota

	// NoProcess is for a file that starts nothing.
	NoProcess

	// DropInAlone is for a drop-in whose unit is not beside it.
	DropInAlone

	// UnknownCapability is for a capability that the platform ignores, or refuses only
	// at the start, because no kernel has it.
	UnknownCapability

	// Ineffective is for a capability that the process does not get, such as one that
	// a container adds for another user than root.
	Ineffective

	// Ignored is for a declaration that another one, or a mistake in its value,
	// makes ineffective.
	Ignored

	// AmbientOutsideBounding is for an ambient capability that is not in the bounding
	// set.
	AmbientOutsideBounding

	// SetIDUnderNoNewPrivs is for a set-user-ID program under no_new_privs.
	SetIDUnderNoNewPrivs

	// UnknownIdentity is for a user that the platform or an image decides, and that can
	// be root.
	UnknownIdentity

	// NotExpressed is for a declaration of a file without an equivalent in a profile, or
	// of a profile without an equivalent in a file.
	NotExpressed

	// OtherPrivileges is for another command of the file, such as ExecStartPre=+, that
	// runs with more privileges than the process.
	OtherPrivileges

	// Refused is for what the platform refuses: the process never starts.
	Refused

	// UnknownValue is for a value that only the start gives, such as ${CAPS}.
	UnknownValue

	// NoNewPrivsImplied is for no_new_privs that only another option sets, in some
	// versions of the platform.
	NoNewPrivsImplied

	// UnknownKind is for an object of Kubernetes with containers whose kind is unknown.
	UnknownKind

	// StartsCaprun is for a process that is caprun, which starts the program with another
	// profile.
	StartsCaprun

	// LaunchRefused is for a launch that caprun refuses because of the state in which the file
	// starts it.
	LaunchRefused
)

// rules is the table of the rules.
var rules = [...]policy.Rule{
	Syntax:                 {Name: "platform-syntax", Severity: policy.Error, Summary: "The unit, manifest or configuration cannot be read."},
	NoProcess:              {Name: "no-process", Severity: policy.Info, Summary: "The file declares no process, so that nothing in it is checked."},
	DropInAlone:            {Name: "drop-in-without-unit", Severity: policy.Warning, Summary: "The unit that a drop-in changes is not in the same directory."},
	UnknownCapability:      {Name: "ignored-capability", Severity: policy.Error, Summary: "No kernel has this capability, and the platform ignores the name silently."},
	Ineffective:            {Name: "capability-not-granted", Severity: policy.Warning, Summary: "The process does not get a capability that the file adds."},
	Ignored:                {Name: "declaration-ignored", Severity: policy.Warning, Summary: "The platform ignores a declaration silently."},
	AmbientOutsideBounding: {Name: "ambient-outside-bounding", Severity: policy.Warning, Summary: "An ambient capability is not in the bounding set."},
	SetIDUnderNoNewPrivs:   {Name: "set-id-without-effect", Severity: policy.Warning, Summary: "A set-user-ID program runs under no_new_privs and gains nothing."},
	UnknownIdentity:        {Name: "identity-not-declared", Severity: policy.Warning, Summary: "The file does not declare the user, which may be root."},
	NotExpressed:           {Name: "not-expressed", Severity: policy.Info, Summary: "A declaration has no equivalent in the other format."},
	OtherPrivileges:        {Name: "privileged-command", Severity: policy.Warning, Summary: "Another command of the unit runs with more privileges than the service."},
	Refused:                {Name: "refused-by-platform", Severity: policy.Error, Summary: "The platform refuses the declaration, so that the process does not start."},
	UnknownValue:           {Name: "value-not-declared", Severity: policy.Warning, Summary: "The value of a declaration is in a variable or in another file."},
	NoNewPrivsImplied:      {Name: "no-new-privs-implied", Severity: policy.Warning, Summary: "systemd sets no_new_privs because of another option, which depends on its version."},
	StartsCaprun:           {Name: "starts-caprun", Severity: policy.Info, Summary: "The process is caprun, which starts the program with a profile of its own."},
	LaunchRefused:          {Name: "launch-refused", Severity: policy.Error, Summary: "caprun refuses to start the program with the privileges that the file gives it."},
	UnknownKind:            {Name: "kind-not-checked", Severity: policy.Warning, Summary: "The file has containers in an object of a kind that caprun does not know."},
}

// Rules returns the rules of this package, which are about files of platforms.
func Rules() []policy.Rule { return append([]policy.Rule(nil), rules[:]...) }

// Diagnostic returns a finding of the rule.
func (r Rule) Diagnostic(at Source, hint, message string) policy.Diagnostic {
	return policy.Diagnostic{
		File: at.File, Position: at.Position, Severity: rules[r].Severity, Rule: rules[r].Name,
		Message: message, Hint: hint,
	}
}
