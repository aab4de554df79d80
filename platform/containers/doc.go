// Package containers has what container engines do with capabilities and users: their
// default sets, the names that they accept, and what a user other than root gets.
//
// The facts are from the sources of the engines:
//
//   - Docker: oci/caps (DefaultCapabilities, TweakCapabilities) and oci/oci.go
//     (SetCapabilities) of moby. Since 20.10.14 the inheritable set is empty.
//   - Podman: pkg/specgen/generate/security_linux.go of podman 5, and pkg/capabilities
//     (MergeCapabilities) of containers/common.
//   - containerd: pkg/cri/opts (WithCapabilities, WithoutAmbientCaps) and oci/spec_opts.go.
//     Since 1.6.2 the inheritable set is empty.
//   - CRI-O: internal/factory/container (SpecSetupCapabilities, SpecSetPrivileges), and
//     SetupPrivileged of runtime-tools. Since 1.24 the inheritable set is empty, unless
//     add_inheritable_capabilities is set.
//
// A profile that comes from a container says what the file declares. The image adds
// variables, groups and a command that the file does not declare.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package containers
