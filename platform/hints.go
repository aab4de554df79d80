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
		"drop ALL in capabilities, and add only those that the program needs",
		"write cap_drop: [ALL], and add only the capabilities that the program needs",
		"remove them from bounding",
	},
	{
		"root-keeps-power",
		"run the program as another user with User=, or list the capabilities that it needs in CapabilityBoundingSet=",
		"set runAsUser to another user, or drop ALL in capabilities and add those that the program needs",
		"set user to another user, or drop ALL in cap_drop and add the capabilities that the program needs",
		"set another uid in process.user, or remove capabilities",
	},
	{
		"noroot-missing",
		"add SecureBits=noroot noroot-locked, or run the program as another user with User=",
		"set runAsUser to another user",
		"set user to another user",
		"set another uid in process.user",
	},
	{
		"root-owns-files",
		"run the program as another user with User=, and give that user the files that it needs",
		"set runAsUser to another user; in the container, give that user the files that it needs",
		"set user to another user; in the container, give that user the files that it needs",
		"set another uid in process.user; in the container, give that user the files that it needs",
	},
	{
		"drops-by-itself",
		"set that user with User=, and list the capabilities that it needs in CapabilityBoundingSet= and AmbientCapabilities=",
		"set runAsUser to that user",
		"set user to that user",
		"set the uid of that user in process.user",
	},
	{
		"amounts-to-root",
		"list only the capabilities that the program needs in CapabilityBoundingSet= and AmbientCapabilities=",
		"drop ALL in capabilities, and add only those that the program needs",
		"write cap_drop: [ALL], and add only the capabilities that the program needs",
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
		"set Group= to another group",
		"set runAsGroup to another group",
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
