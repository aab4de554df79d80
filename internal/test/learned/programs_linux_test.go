package learned

// program is a program of Debian, how to run it, and what it needs.
type program struct {
	name     string
	needs    []string // programs that must be installed
	packages string   // the Debian packages with these programs
	gate     bool     // the gate runs it; make soak runs all

	dirs  []string // directories that it writes to
	setup string
	flags []string // of learn
	argv  []string

	want []string // the capabilities, without "cap_"

	// as are the capabilities of the second pass; nil if there is none. user is its user.
	as   []string
	user string
}

// none is a program that needs no capability.
var none = []string{}

var programs = []program{
	{
		name: "ping", needs: []string{"ping"}, packages: "iputils-ping", gate: true,
		argv: []string{"ping", "-c", "1", "127.0.0.1"},
		want: []string{"net_raw"},
	},
	{
		name: "redis", needs: []string{"redis-server", "redis-cli"}, packages: "redis-server", gate: true,
		flags: []string{"-test", "redis-cli -e set a 1"},
		argv:  []string{"redis-server", "--save", "", "--port", "6379"},
		want:  none,
	},
	{
		name: "nginx", needs: []string{"nginx", "curl"}, packages: "nginx curl", gate: true,
		dirs:  []string{"/var/log/nginx", "/var/lib/nginx"},
		flags: []string{"-uid", "auto", "-test", "curl -fs -o /dev/null http://127.0.0.1/"},
		argv:  []string{"/usr/sbin/nginx"},
		want:  []string{"dac_override", "net_bind_service", "setgid", "setuid"},
		as:    []string{"net_bind_service"}, user: "www-data",
	},
	{
		// What the first run leaves behind hides that the program needs cap_chown.
		name: "nginx from nothing", needs: []string{"nginx", "curl"}, packages: "nginx curl",
		dirs:  []string{"/var/log/nginx", "/var/lib/nginx"},
		flags: []string{"-reset", "rm -rf /run/nginx.pid /var/lib/nginx/*", "-test", "curl -fs -o /dev/null http://127.0.0.1/"},
		argv:  []string{"/usr/sbin/nginx"},
		want:  []string{"chown", "dac_override", "net_bind_service", "setgid", "setuid"},
	},
	{
		name: "tcpdump", needs: []string{"tcpdump", "nc"}, packages: "tcpdump netcat-openbsd",
		flags: []string{"-uid", "auto", "-reset", "rm -rf out; mkdir -m 777 out", "-test", "nc -z 127.0.0.1 9; test $(stat -c %s out/pcap) -gt 24"},
		argv:  []string{"tcpdump", "-i", "lo", "-c", "1", "-w", "out/pcap"},
		want:  []string{"chown", "net_raw", "setgid", "setuid"},
		as:    []string{"net_raw"}, user: "tcpdump",
	},
	{
		name: "memcached", needs: []string{"memcached", "nc"}, packages: "memcached netcat-openbsd",
		flags: []string{"-uid", "auto", "-test", "echo stats | nc -N 127.0.0.1 11211 | grep -q pid"},
		argv:  []string{"memcached", "-u", "nobody", "-l", "127.0.0.1"},
		want:  []string{"setgid", "setuid"}, as: none, user: "nobody",
	},
	{
		name: "unbound", needs: []string{"unbound", "dig"}, packages: "unbound bind9-dnsutils",
		setup: `mkdir -p jail; cat >jail/unbound.conf <<'END'
server:
  interface: 127.0.0.1
  chroot: "/run/box/jail"
  username: "unbound"
  directory: "/run/box/jail"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  local-data: "a.test. A 192.0.2.1"
END`,
		flags: []string{"-test", "dig +short +timeout=1 +tries=1 @127.0.0.1 a.test | grep -q 192.0.2.1"},
		argv:  []string{"unbound", "-d", "-c", "/run/box/jail/unbound.conf"},
		want:  []string{"net_bind_service", "setgid", "setuid", "sys_chroot"},
	},
	{
		name: "haproxy", needs: []string{"haproxy", "curl"}, packages: "haproxy curl",
		setup: `mkdir -p jail; cat >haproxy.cfg <<'END'
global
  chroot /run/box/jail
  user haproxy
  group haproxy
defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:80
  http-request return status 200
END`,
		flags: []string{"-test", "curl -fs -o /dev/null http://127.0.0.1/"},
		argv:  []string{"haproxy", "-f", "haproxy.cfg"},
		want:  []string{"net_bind_service", "setgid", "setuid", "sys_chroot"},
	},
	{
		name: "dnsmasq", needs: []string{"dnsmasq", "dig"}, packages: "dnsmasq-base bind9-dnsutils",
		flags: []string{"-uid", "auto", "-test", "dig +short +timeout=1 +tries=1 @127.0.0.1 a.test | grep -q 192.0.2.1"},
		argv: []string{"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1",
			"--bind-interfaces", "--pid-file=", "--address=/a.test/192.0.2.1", "--user=nobody", "--group=nogroup"},
		want: []string{"net_bind_service", "setgid", "setuid"}, as: []string{"net_bind_service"}, user: "nobody",
	},
	{
		name: "chronyd", needs: []string{"chronyd", "chronyc"}, packages: "chrony",
		setup: "printf 'allow\\nlocal stratum 1\\ncmdport 0\\nbindcmdaddress /\\npidfile /run/box/pid\\n' >chrony.conf",
		flags: []string{"-test", "grep -q :007B /proc/net/udp"},
		argv:  []string{"chronyd", "-x", "-d", "-f", "/run/box/chrony.conf"},
		want:  []string{"net_bind_service", "setgid", "setuid"},
	},
	{
		name: "sshd", needs: []string{"sshd", "ssh", "ssh-keygen", "useradd"}, packages: "openssh-server openssh-client passwd",
		dirs: []string{"/etc"},
		setup: `mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f key; ssh-keygen -q -t ed25519 -N '' -f host
useradd -M -d / -s /bin/sh -p '*' visitor; mkdir keys; install -m 644 key.pub keys/authorized`,
		flags: []string{"-test", "ssh -p 22 -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=2 visitor@127.0.0.1 true"},
		argv: []string{"/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-o", "ListenAddress=127.0.0.1", "-o", "HostKey=/run/box/host", "-o",
			"AuthorizedKeysFile=/run/box/keys/authorized", "-o", "StrictModes=no", "-o", "UsePAM=no", "-o", "PidFile=none"},
		want: []string{"net_bind_service", "setgid", "setuid", "sys_chroot"},
	},
	{
		name: "python", needs: []string{"python3", "curl"}, packages: "python3 curl",
		setup: "printf 'version: 1\\nuid: 33\\ngid: 33\\n' >base.yaml",
		flags: []string{"-profile", "base.yaml", "-test", "curl -fs -o /dev/null http://127.0.0.1/"},
		argv:  []string{"python3", "-m", "http.server", "--bind", "127.0.0.1", "80"},
		want:  []string{"net_bind_service"},
	},
	{
		name: "su", needs: []string{"su"}, packages: "util-linux",
		argv: []string{"su", "-s", "/bin/sh", "-c", "test $(id -u) = 65534", "nobody"},
		want: []string{"setgid", "setuid"},
	},
	{
		name: "mount", needs: []string{"mount"}, packages: "mount",
		setup: "mkdir mnt",
		flags: []string{"-reset", "umount -q mnt || true"},
		argv:  []string{"mount", "-t", "tmpfs", "tmpfs", "/run/box/mnt"},
		want:  []string{"sys_admin"},
	},
	{
		name: "mount in a user namespace", needs: []string{"unshare", "mount"}, packages: "util-linux mount",
		setup: "mkdir mnt",
		argv:  []string{"unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/run/box/mnt"},
		// The kernel requires it to map uid 0: Linux 5.12 and later.
		want: []string{"setfcap"},
	},
	{
		name: "mount in a user namespace as nobody", needs: []string{"unshare", "mount"}, packages: "util-linux mount",
		setup: "mkdir mnt; printf 'version: 1\nuid: 65534\ngid: 65534\n' >base.yaml",
		flags: []string{"-profile", "base.yaml"},
		argv:  []string{"unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/run/box/mnt"},
		want:  none,
	},
	{
		name: "iptables", needs: []string{"iptables"}, packages: "iptables",
		flags: []string{"-reset", "iptables -F INPUT"},
		argv:  []string{"iptables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"},
		want:  []string{"net_admin"},
	},
	{
		name: "nft", needs: []string{"nft"}, packages: "nftables",
		flags: []string{"-reset", "nft flush ruleset"},
		argv:  []string{"nft", "add", "table", "inet", "t"},
		want:  []string{"net_admin"},
	},
	{
		name: "chown", needs: []string{"chown"}, packages: "coreutils",
		flags: []string{"-reset", "rm -f file; touch file"},
		argv:  []string{"chown", "33", "file"},
		want:  []string{"chown"},
	},
	{
		name: "mknod", needs: []string{"mknod"}, packages: "coreutils",
		flags: []string{"-reset", "rm -f device"},
		argv:  []string{"mknod", "device", "c", "1", "3"},
		want:  []string{"mknod"},
	},
	{
		name: "chrt", needs: []string{"chrt"}, packages: "util-linux",
		argv: []string{"chrt", "--fifo", "1", "true"},
		want: []string{"sys_nice"},
	},
	{
		name: "hostname", needs: []string{"hostname"}, packages: "hostname",
		argv: []string{"hostname", "other"},
		want: []string{"sys_admin"},
	},
}
