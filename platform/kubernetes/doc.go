// Package kubernetes reads the manifests of pods: what each container is allowed to do.
//
// A cluster ignores misspelt fields of a security context silently, unless its client asks
// for strict validation. The reader reports them, and what the API server or the kubelet
// refuses.
//
// no_new_privs follows only allowPrivilegeEscalation: AddNoNewPrivileges in
// pkg/securitycontext of Kubernetes. A default of the cluster, such as that of a policy or
// of a namespace, is not in the file.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package kubernetes
