package cmdline

// flagsWithValue are the flags of docker run and podman run that have a value and nothing
// to do with privileges.
var flagsWithValue = [...]string{
	"add-host", "annotation", "arch", "attach", "authfile", "blkio-weight", "blkio-weight-device", "cert-dir", "cgroup-conf",
	"cgroups", "chrootdirs", "cidfile", "conmon-pidfile", "cpu-count", "cpu-percent", "cpu-period", "cpu-quota",
	"cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus", "cpuset-cpus", "cpuset-mems", "creds", "decryption-key",
	"detach-keys", "device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops", "dns", "dns-opt",
	"dns-option", "dns-search", "domainname", "env-merge", "expose", "group-entry", "health-cmd", "health-interval",
	"health-log-destination", "health-max-log-count", "health-max-log-size", "health-on-failure", "health-retries",
	"health-start-interval", "health-start-period", "health-startup-cmd", "health-startup-interval",
	"health-startup-retries", "health-startup-success", "health-startup-timeout", "health-timeout", "hostname",
	"hosts-file", "image-volume", "init-ctr", "init-path", "io-maxbandwidth", "io-maxiops", "ip", "ip6", "kernel-memory",
	"label", "label-file", "link", "link-local-ip", "log-driver", "log-opt", "mac-address", "memory", "memory-reservation",
	"memory-swap", "memory-swappiness", "name", "net-alias", "network-alias", "oom-score-adj", "os", "passwd-entry",
	"personality", "pidfile", "pids-limit", "platform", "pod", "pod-id-file", "publish", "pull", "rdt-class", "requires",
	"restart", "retry", "retry-delay", "sdnotify", "seccomp-policy", "secret", "shm-size", "shm-size-systemd", "stop-signal",
	"stop-timeout", "storage-opt", "subgidname", "subuidname", "systemd", "timeout", "tmpfs", "tz", "unsetenv", "variant",
	"volume-driver",
}

// flagsWithoutValue are those that are true without a value.
var flagsWithoutValue = [...]string{
	"detach", "disable-content-trust", "help", "http-proxy", "interactive", "no-healthcheck", "no-hostname", "no-hosts",
	"oom-kill-disable", "passwd", "publish-all", "quiet", "read-only-tmpfs", "replace", "rm", "rmi", "sig-proxy",
	"tls-verify", "tty", "unsetenv-all",
}

// privilegeFlags are the flags that the reader takes over, with a value.
var privilegeFlags = [...]string{
	"cap-add", "cap-drop", "cgroup-parent", "cgroupns", "device", "device-cgroup-rule", "entrypoint", "env", "env-file",
	"gidmap", "gpus", "group-add", "hostuser", "ipc", "isolation", "mount", "net", "network", "pid", "preserve-fd",
	"preserve-fds", "runtime", "security-opt", "sysctl", "uidmap", "ulimit", "umask", "user", "userns", "uts", "volume",
	"volumes-from", "workdir",
}

// privilegeSwitches are the flags that the reader takes over, true without a value.
var privilegeSwitches = [...]string{"env-host", "init", "privileged", "read-only", "rootfs", "use-api-socket"}

// shortFlags are the short forms. Those of flagsWithoutValue can be combined.
var shortFlags = [...]struct {
	letter byte
	name   string
}{
	{'a', "attach"}, {'c', "cpu-shares"}, {'d', "detach"}, {'e', "env"}, {'h', "hostname"}, {'i', "interactive"}, {'l', "label"},
	{'m', "memory"}, {'p', "publish"}, {'P', "publish-all"}, {'q', "quiet"}, {'t', "tty"}, {'u', "user"}, {'v', "volume"}, {'w', "workdir"},
}

// globalFlags are flags with a value before the subcommand.
var globalFlags = [...]string{
	"-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey", "--root",
	"--runroot", "--url", "--connection", "--identity", "--storage-driver", "--storage-opt", "--cgroup-manager", "--conmon",
	"--events-backend", "--hooks-dir", "--module", "--network-cmd-path", "--network-config-dir", "--runtime", "--runtime-flag",
	"--tmpdir", "--volumepath", "--imagestore", "--out", "--ssh",
}
