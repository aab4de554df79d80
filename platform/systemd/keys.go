package systemd

import "slices"

// unitSections are the sections of a service unit.
var unitSections = [...]string{"Unit", "Service", "Install"}

// isSection reports whether this package reads a section: those of services, and that of
// sockets.
func isSection(name string) bool {
	return name == socketSection || slices.Contains(unitSections[:], name)
}

const (
	serviceSection = "Service"
	socketSection  = "Socket"
)

// commandKeys are the keys of commands, in the order in which systemd runs them.
var commandKeys = [...]string{
	"ExecCondition", "ExecStartPre", startKey, "ExecStartPost", "ExecReload", "ExecReloadPost", "ExecStop", "ExecStopPost",
}

const startKey = "ExecStart"

// listenKeys are the keys of sockets, each of which is a descriptor of the service.
var listenKeys = [...]string{
	"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO", "ListenSpecial",
	"ListenNetlink", "ListenMessageQueue", "ListenUSBFunction",
}

// ownKeys are the keys that this package interprets. A misspelt one is a finding.
var ownKeys = [...]string{
	"User", "Group", "SupplementaryGroups", "DynamicUser", "PAMName",
	"CapabilityBoundingSet", "AmbientCapabilities", "SecureBits", "NoNewPrivileges",
	"UMask", "WorkingDirectory", "RootDirectory", "KeyringMode", "PermissionsStartOnly", "RootDirectoryStartOnly",
	"Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "ExecSearchPath",
	"StandardInput", "StandardOutput", "StandardError", "Type", "NotifyAccess", "WatchdogSec",
	"LimitCPU", "LimitFSIZE", "LimitDATA", "LimitSTACK", "LimitCORE", "LimitRSS", "LimitNOFILE", "LimitAS",
	"LimitNPROC", "LimitMEMLOCK", "LimitLOCKS", "LimitSIGPENDING", "LimitMSGQUEUE", "LimitNICE", "LimitRTPRIO", "LimitRTTIME",
	"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecReloadPost", "ExecStop", "ExecStopPost",
	"RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory",
}

// otherKeys are keys of [Service] that are like an own key and mean something else, so
// that they are no misspelling.
var otherKeys = [...]string{
	"Restart", "RestartSec", "RestartSteps", "RestartMaxDelaySec", "RestartMode", "RestartKillSignal",
	"RestartPreventExitStatus", "RestartForceExitStatus", "SuccessExitStatus", "RemainAfterExit", "ExitType",
	"GuessMainPID", "PIDFile", "BusName", "BusPolicy", "Sockets", "NonBlocking", "OOMPolicy", "ReloadSignal",
	"TimeoutSec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec", "TimeoutCleanSec",
	"TimeoutStartFailureMode", "TimeoutStopFailureMode", "RuntimeMaxSec", "RuntimeRandomizedExtraSec",
	"KillMode", "KillSignal", "SendSIGKILL", "SendSIGHUP", "FinalKillSignal", "WatchdogSignal",
	"SyslogIdentifier", "SyslogFacility", "SyslogLevel", "SyslogLevelPrefix", "LogLevelMax", "LogExtraFields",
	"LogRateLimitIntervalSec", "LogRateLimitBurst", "LogFilterPatterns", "UtmpIdentifier", "UtmpMode",
	"TTYReset", "TTYVHangup", "TTYVTDisallocate", "TTYRows", "TTYColumns",
	"RuntimeDirectoryMode", "StateDirectoryMode", "CacheDirectoryMode", "LogsDirectoryMode", "ConfigurationDirectoryMode",
	"RuntimeDirectoryPreserve", "StateDirectoryQuota", "CacheDirectoryQuota", "LogsDirectoryQuota",
	"StateDirectoryAccounting", "CacheDirectoryAccounting", "LogsDirectoryAccounting",
	"FileDescriptorStorePreserve", "USBFunctionStrings", "SetLoginEnvironment", "Slice", "DelegateSubgroup",
	"CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting", "IPAccounting", "BlockIOAccounting",
	"DisableControllers", "ManagedOOMSwap", "ManagedOOMMemoryPressure", "ManagedOOMPreference", "SysVStartPriority",
	"RootImageOptions", "RootHash", "RootHashSignature", "RootVerity", "RootEphemeral", "RootImagePolicy",
	"MountImagePolicy", "ExtensionImagePolicy", "IgnoreSIGPIPE", "MemoryKSM", "MemoryTHP", "LiveMount", "RefreshOnReload",
	"SELinuxContextFromNet", "StartLimitInterval", "StartLimitBurst", "StartLimitAction", "FailureAction", "SuccessAction",
	"StartLimitIntervalSec", "RemoveIPC", "RebootArgument", "Capabilities", "SystemCallErrorNumber", "NetClass",
}

// A lostKey is a key without an equivalent in a profile.
type lostKey struct {
	key string

	// what says what the key does, after KEY=VALUE.
	what string

	// off are the values that do nothing.
	off []string

	// list reports that assignments add up, until an empty one.
	list bool

	// always reports that the key has an effect on commands with the prefix +, too.
	always bool
}

var no = []string{"no", "n", "false", "f", "off", "0", ""}

const (
	filters  = "filters system calls"
	paths    = "changes what the program can do with paths"
	mounts   = "mounts file systems for the program"
	creates  = "creates directories and gives them to the user"
	cgroups  = "limits resources of the control group"
	devices  = "restricts the access to devices"
	network  = "filters network traffic of the control group"
	secrets  = "passes secrets in files to the program"
	schedule = "sets scheduling attributes of the process"
	labels   = "sets the context of a Linux security module"
)

// lostKeys are the keys that change what a process of the service can do.
var lostKeys = [...]lostKey{
	{key: "ProtectSystem", what: "makes directories of the system read-only", off: no},
	{key: "ProtectHome", what: "makes home directories read-only, empty or inaccessible", off: no},
	{key: "PrivateTmp", what: "gives the program its own /tmp and /var/tmp", off: no},
	{key: "PrivateDevices", what: "gives the program a /dev with pseudo devices only, and " + filters, off: no},
	{key: "ProtectKernelTunables", what: "makes kernel variables in /proc and /sys read-only", off: no},
	{key: "ProtectKernelModules", what: "hides kernel modules, and " + filters, off: no},
	{key: "ProtectKernelLogs", what: "hides the kernel log, and " + filters, off: no},
	{key: "ProtectClock", what: "denies writing to the clock devices, and " + filters, off: no},
	{key: "ProtectControlGroups", what: "makes control groups read-only", off: no},
	{key: "ProtectHostname", what: "runs the program in a UTS namespace, and " + filters, off: no},
	{key: "ProtectProc", what: "hides other processes in /proc", off: []string{"", "default"}},
	{key: "ProcSubset", what: "hides files of /proc", off: []string{"", "all"}},
	{key: "PrivateMounts", what: "runs the program in a mount namespace", off: no},
	{key: "PrivateNetwork", what: "runs the program in a network namespace with a loopback device only", off: no, always: true},
	{key: "PrivateUsers", what: "runs the program in a user namespace, whose capabilities do not apply outside of it", off: no},
	{key: "PrivateIPC", what: "runs the program in an IPC namespace", off: no, always: true},
	{key: "PrivatePIDs", what: "runs the program in a PID namespace", off: no},
	{key: "PrivateBPF", what: "mounts a BPF file system for the program", off: no},
	{key: "NetworkNamespacePath", what: "runs the program in another network namespace", off: no, always: true},
	{key: "IPCNamespacePath", what: "runs the program in another IPC namespace", off: no, always: true},
	{key: "UserNamespacePath", what: "runs the program in another user namespace", off: no},
	{key: "RestrictNamespaces", what: "denies namespaces: it " + filters, off: no, list: true},
	{key: "SystemCallFilter", what: filters, list: true},
	{key: "SystemCallArchitectures", what: filters + " of other architectures", list: true},
	{key: "SystemCallLog", what: "logs system calls", list: true},
	{key: "MemoryDenyWriteExecute", what: "denies memory that is writable and executable: it " + filters, off: no},
	{key: "RestrictRealtime", what: "denies realtime scheduling: it " + filters, off: no},
	{key: "RestrictSUIDSGID", what: "denies making set-user-ID and set-group-ID files: it " + filters, off: no},
	{key: "RestrictAddressFamilies", what: "denies sockets of other address families: it " + filters, list: true},
	{key: "RestrictFileSystems", what: "denies access to types of file systems", list: true},
	{key: "LockPersonality", what: "denies other execution domains: it " + filters, off: no},
	{key: "Personality", what: "sets the execution domain", off: no},
	{key: "AppArmorProfile", what: labels, off: no},
	{key: "SELinuxContext", what: labels, off: no},
	{key: "SmackProcessLabel", what: labels, off: no},
	{key: "ReadWritePaths", what: paths, list: true},
	{key: "ReadOnlyPaths", what: paths, list: true},
	{key: "InaccessiblePaths", what: paths, list: true},
	{key: "ReadWriteDirectories", what: paths, list: true},
	{key: "ReadOnlyDirectories", what: paths, list: true},
	{key: "InaccessibleDirectories", what: paths, list: true},
	{key: "ExecPaths", what: paths, list: true},
	{key: "NoExecPaths", what: paths, list: true},
	{key: "BindPaths", what: mounts, list: true},
	{key: "BindReadOnlyPaths", what: mounts, list: true},
	{key: "BindLogSockets", what: mounts, off: no},
	{key: "TemporaryFileSystem", what: mounts, list: true},
	{key: "MountImages", what: mounts, list: true},
	{key: "ExtensionImages", what: mounts, list: true},
	{key: "ExtensionDirectories", what: mounts, list: true},
	{key: "MountAPIVFS", what: mounts, off: no},
	{key: "MountFlags", what: "sets the propagation of mounts", off: no},
	{key: "RootImage", what: "makes the root directory of a disk image that of the program", off: no, always: true},
	{key: "RootMStack", what: "makes a stack of images the root directory of the program", off: no, always: true},
	{key: "DeviceAllow", what: devices, list: true, always: true},
	{key: "DevicePolicy", what: devices, off: []string{"", "auto"}, always: true},
	{key: "IPAddressAllow", what: network, list: true, always: true},
	{key: "IPAddressDeny", what: network, list: true, always: true},
	{key: "IPIngressFilterPath", what: network, list: true, always: true},
	{key: "IPEgressFilterPath", what: network, list: true, always: true},
	{key: "NFTSet", what: network, list: true, always: true},
	{key: "BPFProgram", what: "attaches BPF programs to the control group", list: true, always: true},
	{key: "SocketBindAllow", what: "restricts bind(2)", list: true, always: true},
	{key: "SocketBindDeny", what: "restricts bind(2)", list: true, always: true},
	{key: "RestrictNetworkInterfaces", what: network, list: true, always: true},
	{key: "Delegate", what: "gives the control group to the program", off: no, always: true},
	{key: "MemoryMin", what: cgroups, off: no, always: true},
	{key: "MemoryLow", what: cgroups, off: no, always: true},
	{key: "MemoryHigh", what: cgroups, off: []string{"", "infinity"}, always: true},
	{key: "MemoryMax", what: cgroups, off: []string{"", "infinity"}, always: true},
	{key: "MemorySwapMax", what: cgroups, off: []string{"", "infinity"}, always: true},
	{key: "MemoryZSwapMax", what: cgroups, off: []string{"", "infinity"}, always: true},
	{key: "MemoryLimit", what: cgroups, off: []string{"", "infinity"}, always: true},
	{key: "TasksMax", what: cgroups, off: []string{"", "infinity"}, always: true},
	{key: "CPUQuota", what: cgroups, off: []string{""}, always: true},
	{key: "CPUWeight", what: cgroups, off: []string{""}, always: true},
	{key: "CPUShares", what: cgroups, off: []string{""}, always: true},
	{key: "AllowedCPUs", what: cgroups, off: []string{""}, always: true},
	{key: "AllowedMemoryNodes", what: cgroups, off: []string{""}, always: true},
	{key: "IOWeight", what: cgroups, off: []string{""}, always: true},
	{key: "IOReadBandwidthMax", what: cgroups, list: true, always: true},
	{key: "IOWriteBandwidthMax", what: cgroups, list: true, always: true},
	{key: "IOReadIOPSMax", what: cgroups, list: true, always: true},
	{key: "IOWriteIOPSMax", what: cgroups, list: true, always: true},
	{key: "Nice", what: schedule, off: []string{"", "0"}, always: true},
	{key: "IOSchedulingClass", what: schedule, off: []string{""}, always: true},
	{key: "IOSchedulingPriority", what: schedule, off: []string{""}, always: true},
	{key: "CPUSchedulingPolicy", what: schedule, off: []string{""}, always: true},
	{key: "CPUSchedulingPriority", what: schedule, off: []string{""}, always: true},
	{key: "CPUSchedulingResetOnFork", what: schedule, off: no, always: true},
	{key: "CPUAffinity", what: schedule, list: true, always: true},
	{key: "NUMAPolicy", what: schedule, off: []string{""}, always: true},
	{key: "NUMAMask", what: schedule, off: []string{""}, always: true},
	{key: "TimerSlackNSec", what: schedule, off: []string{""}, always: true},
	{key: "OOMScoreAdjust", what: "sets when the kernel kills the process for memory", off: []string{""}, always: true},
	{key: "CoredumpFilter", what: "sets which memory a core dump has", off: []string{""}, always: true},
	{key: "RuntimeDirectory", what: creates, list: true, always: true},
	{key: "StateDirectory", what: creates, list: true, always: true},
	{key: "CacheDirectory", what: creates, list: true, always: true},
	{key: "LogsDirectory", what: creates, list: true, always: true},
	{key: "ConfigurationDirectory", what: creates, list: true, always: true},
	{key: "LoadCredential", what: secrets, list: true, always: true},
	{key: "LoadCredentialEncrypted", what: secrets, list: true, always: true},
	{key: "ImportCredential", what: secrets, list: true, always: true},
	{key: "SetCredential", what: secrets, list: true, always: true},
	{key: "SetCredentialEncrypted", what: secrets, list: true, always: true},
	{key: "TTYPath", what: "names a terminal", off: []string{""}, always: true},
	{key: "LogNamespace", what: "mounts the sockets of another journal", off: []string{""}},
	{key: "FileDescriptorStoreMax", what: "passes descriptors of the last run to the next one", off: []string{"", "0"}},
	{key: "OpenFile", what: "is opened as root and passed to the program", list: true},
	{key: "StandardInputText", what: "is the standard input", list: true, always: true},
	{key: "StandardInputData", what: "is the standard input", list: true, always: true},
	{key: "ExtraFileDescriptors", what: "passes descriptors to the program", list: true},
	{key: "USBFunctionDescriptors", what: "writes to the descriptor of a USB function", off: []string{""}},
}

// isOff reports whether a value of the key does nothing.
func (k lostKey) isOff(value string) bool {
	if _, isBool := parseBool(value); isBool && len(k.off) == len(no) {
		b, _ := parseBool(value)
		return !b
	}
	return slices.Contains(k.off, value)
}

// findLost returns the entry of a key.
func findLost(key string) (lostKey, bool) {
	n := slices.IndexFunc(lostKeys[:], func(k lostKey) bool { return k.key == key })
	if n < 0 {
		return lostKey{}, false
	}
	return lostKeys[n], true
}

// isServiceKey reports whether systemd has a key in [Service].
func isServiceKey(key string) bool {
	_, lost := findLost(key)
	return lost || slices.Contains(ownKeys[:], key) || slices.Contains(otherKeys[:], key)
}

// privilegeKeys are the keys that misspelt ones are compared with.
func privilegeKeys() []string {
	list := append([]string(nil), ownKeys[:]...)
	for _, k := range lostKeys {
		list = append(list, k.key)
	}
	return list
}
