package platform

// hints say what to write in a file of a platform, by rule. A rule of a profile without an
// entry has no hint there: its own names the keys of profiles.
var hints = [...]struct{ rule, systemd, kubernetes, compose, oci string }{
	{
		"no-new-privs-missing",
		"add NoNewPrivileges=yes",
		"add allowPrivilegeEscalation: false to the securityContext of the container",
		"add no-new-privileges:true to security_opt",
		"set noNewPrivileges of process to true",
	},
	{
		"bounding-wider",
		"list the capabilities that the program needs in CapabilityBoundingSet=",
		"drop ALL in capabilities, and add the capabilities that the program needs",
		"write cap_drop: [ALL], and cap_add with the capabilities that the program needs",
		"remove them from bounding",
	},
	{
		"root-keeps-power",
		"add User=, or CapabilityBoundingSet= and SecureBits=noroot-locked",
		"add runAsUser, and drop ALL in capabilities",
		"add user, and write cap_drop: [ALL]",
		"set uid of process.user, and remove capabilities",
	},
	{
		"noroot-missing",
		"add SecureBits=noroot noroot-locked, or User=",
		"add runAsUser",
		"add user",
		"set uid of process.user",
	},
	{
		"amounts-to-root",
		"remove it from AmbientCapabilities= and CapabilityBoundingSet=",
		"remove it from add, and drop ALL in capabilities",
		"remove it from cap_add, and write cap_drop: [ALL]",
		"remove it from capabilities",
	},
	{
		"inheritable-not-ambient",
		"",
		"",
		"",
		"add it to ambient, or remove it from inheritable",
	},
	{
		"root-group",
		"add another Group=",
		"add runAsGroup",
		"add a group to user, as in 33:33",
		"set gid of process.user",
	},
	{
		"umask-open",
		"write UMask=0027",
		"",
		"",
		"set umask of process.user",
	},
}

// hint returns what to write in a file of the kind about a finding of a rule; empty if
// there is no single answer.
func (k Kind) hint(rule string) string {
	for _, h := range hints {
		if h.rule != rule {
			continue
		}
		switch k {
		case Systemd:
			return h.systemd
		case Kubernetes:
			return h.kubernetes
		case Compose:
			return h.compose
		case OCI:
			return h.oci
		}
	}
	return ""
}
