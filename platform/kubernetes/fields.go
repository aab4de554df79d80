package kubernetes

// containerContext are the fields of SecurityContext in core/v1.
var containerContext = [...]string{
	"allowPrivilegeEscalation", "appArmorProfile", "capabilities", "privileged", "procMount",
	"readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions",
	"seccompProfile", "windowsOptions",
}

// podContext are the fields of PodSecurityContext in core/v1.
var podContext = [...]string{
	"appArmorProfile", "fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser",
	"seLinuxChangePolicy", "seLinuxOptions", "seccompProfile", "supplementalGroups",
	"supplementalGroupsPolicy", "sysctls", "windowsOptions",
}

// podFields are the fields of PodSpec in core/v1.
var podFields = [...]string{
	"activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy",
	"enableServiceLinks", "ephemeralContainers", "evictionResponders", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers",
	"hostname", "hostnameOverride", "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "os", "overhead",
	"preemptionPolicy", "priority", "priorityClassName", "readinessGates", "resourceClaims", "resources",
	"restartPolicy", "runtimeClassName", "schedulerName", "schedulingGates", "schedulingGroup", "securityContext", "serviceAccount",
	"serviceAccountName", "setHostnameAsFQDN", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds",
	"tolerations", "topologySpreadConstraints", "volumes", "workloadRef",
}

// containerFields are the fields of Container and EphemeralContainer in core/v1.
var containerFields = [...]string{
	"args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports",
	"readinessProbe", "resizePolicy", "resources", "restartPolicy", "restartPolicyRules", "securityContext",
	"startupProbe", "stdin", "stdinOnce", "targetContainerName", "terminationMessagePath",
	"terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir",
}

// hostFields are the fields of a pod that share a namespace of the node.
var hostFields = [...]struct{ name, what string }{
	{"hostPID", "the processes share the PID namespace of the node"},
	{"hostNetwork", "the processes share the network of the node"},
	{"hostIPC", "the processes share the IPC namespace of the node"},
}

// workloads are the kinds with a template of a pod, and the keys that lead to its spec.
var workloads = [...]struct {
	kind string
	path []string
}{
	{"Pod", []string{"spec"}},
	{"Deployment", []string{"spec", "template", "spec"}},
	{"StatefulSet", []string{"spec", "template", "spec"}},
	{"DaemonSet", []string{"spec", "template", "spec"}},
	{"ReplicaSet", []string{"spec", "template", "spec"}},
	{"ReplicationController", []string{"spec", "template", "spec"}},
	{"Job", []string{"spec", "template", "spec"}},
	{"CronJob", []string{"spec", "jobTemplate", "spec", "template", "spec"}},
	{"PodTemplate", []string{"template", "spec"}},
}
