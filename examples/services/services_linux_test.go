package services

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/command"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// A service is an example. Its name is that of its directory and of its profile.
type service struct {
	name     string
	programs []string // that the service and its client use
	packages string   // the Debian packages with these programs

	// ready is "tcp 80" or "udp 53" for a port that the service opens, or a part of a
	// message that it prints.
	ready string

	// without has what the service or its client prints if the profile lacks a
	// capability. Its keys are all capabilities of the profile.
	without map[string]string

	stop syscall.Signal // ends the service with status 0
	gate bool           // go test runs it; make test-services runs all
}

const bindService = "cap_net_bind_service"

var services = []service{
	{
		name: "nginx", gate: true,
		programs: []string{"/usr/sbin/nginx", "curl"}, packages: "nginx curl",
		ready: "tcp 80", stop: syscall.SIGTERM,
		without: map[string]string{bindService: "bind() to 0.0.0.0:80 failed (13: Permission denied)"},
	},
	{
		name: "haproxy", programs: []string{"/usr/sbin/haproxy", "curl"}, packages: "haproxy curl",
		ready: "tcp 80", stop: syscall.SIGTERM,
		without: map[string]string{bindService: "cannot bind socket (Permission denied) for [127.0.0.1:80]"},
	},
	{
		name: "redis", gate: true,
		programs: []string{"/usr/bin/redis-server", "redis-cli"}, packages: "redis-server",
		ready: "tcp 6379", stop: syscall.SIGTERM,
	},
	{
		name: "memcached", programs: []string{"/usr/bin/memcached", "nc"}, packages: "memcached netcat-openbsd",
		ready: "tcp 11211", stop: syscall.SIGTERM,
	},
	{
		name: "postgresql", programs: []string{"/usr/lib/postgresql/15/bin/postgres"}, packages: "postgresql-15",
		ready: "database system is ready to accept connections", stop: syscall.SIGINT,
	},
	{
		name: "unbound", programs: []string{"/usr/sbin/unbound", "dig"}, packages: "unbound bind9-dnsutils",
		ready: "tcp 53", stop: syscall.SIGTERM,
		without: map[string]string{bindService: "can't bind socket: Permission denied for 127.0.0.1 port 53"},
	},
	{
		name: "dnsmasq", programs: []string{"/usr/sbin/dnsmasq", "dig"}, packages: "dnsmasq-base bind9-dnsutils",
		ready: "tcp 53", stop: syscall.SIGTERM,
		without: map[string]string{bindService: "failed to create listening socket for 127.0.0.1: Permission denied"},
	},
	{
		name: "chrony", programs: []string{"/usr/sbin/chronyd", "chronyc", "setpriv"}, packages: "chrony",
		ready: "udp 123", stop: syscall.SIGTERM,
		without: map[string]string{
			bindService:    "Could not open NTP socket on 127.0.0.1:123",
			"cap_sys_time": "adjtimex(0x8001) failed : Operation not permitted",
		},
	},
	{
		name: "sshd", programs: []string{"/usr/sbin/sshd", "ssh", "useradd"}, packages: "openssh-server openssh-client passwd",
		ready: "tcp 22", stop: syscall.SIGTERM,
		without: map[string]string{
			bindService:       "Bind to port 22 on 127.0.0.1 failed: Permission denied",
			"cap_audit_write": "linux_audit_write_entry failed: Operation not permitted",
			"cap_chown":       "chown(/dev/pts/0",
			"cap_setgid":      "setgroups: Operation not permitted",
			"cap_setuid":      "setresuid",
			"cap_sys_chroot":  `chroot("/run/sshd"): Operation not permitted`,
		},
	},
	{
		name: "ping", gate: true,
		programs: []string{"/usr/bin/ping"}, packages: "iputils-ping",
		ready: "64 bytes from 127.0.0.1: icmp_seq=1", stop: syscall.SIGINT,
		without: map[string]string{"cap_net_raw": "/usr/bin/ping has file capabilities (cap_net_raw=ep)"},
	},
	{
		name: "tcpdump", programs: []string{"/usr/bin/tcpdump", "nc"}, packages: "tcpdump netcat-openbsd",
		ready: "listening on lo", stop: syscall.SIGTERM,
		without: map[string]string{"cap_net_raw": "You don't have permission to perform this capture on that device"},
	},
	{
		name: "python", programs: []string{"/usr/bin/python3", "curl"}, packages: "python3 curl",
		ready: "tcp 8000", stop: syscall.SIGTERM,
	},
	{
		name: "node", programs: []string{"/usr/bin/node", "curl"}, packages: "nodejs curl",
		ready: "tcp 8001", stop: syscall.SIGTERM,
	},
}

func TestMain(m *testing.M) {
	reexec.Main(tests{m}, reexec.Roles{"service": serviceRole, "unit": unitRole})
}

type tests struct{ *testing.M }

func (m tests) Run() int { return command.Main(m.M) }

// TestServices starts each service by its unit, uses it, compares its processes with
// the profile, and stops it. Then it does so without each of the capabilities.
func TestServices(t *testing.T) {
	requires.Root(t)
	for _, s := range services {
		if !s.gate && os.Getenv("CAPRUN_TEST_SERVICES") != "all" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			s.needPrograms(t)
			r := s.run(t, "")
			if r.Failed != "" {
				t.Fatalf("%s\n%s", r.Failed, r.Log)
			}
			comparePage(t, func(page string) string { return replaceRows(t, page, s.name, r.rows(s.name)) })
			if got := r.Capabilities; !slices.Equal(got, slices.Sorted(maps.Keys(s.without))) {
				t.Errorf("the capabilities of the profile are %v", got)
			}
			for capability, want := range s.without {
				switch r := s.run(t, capability); {
				case r.Failed == "":
					t.Errorf("it works without %s", capability)
				case !strings.Contains(r.Failed+r.Log, want):
					t.Errorf("without %s: no %q: %s\n%s", capability, want, r.Failed, r.Log)
				}
			}
		})
	}
}

// needPrograms skips the test, and names the packages, if a program is missing.
func (s service) needPrograms(t *testing.T) {
	t.Helper()
	for _, p := range s.programs {
		if _, err := exec.LookPath(p); err != nil {
			requires.Skip(t, fmt.Sprintf("program %s; apt-get install --no-install-recommends %s", p, s.packages))
		}
	}
}

// run runs the service in new namespaces. The profile lacks the capability without, if
// it is not empty.
func (s service) run(t *testing.T, without string) report {
	t.Helper()
	dir, err := filepath.Abs(s.name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := reexec.Command("service")
	cmd.Args = append(cmd.Args, s.name, without, command.Caprun(t))
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	out, errs, status := command.Run(t, cmd)
	var r report
	if err := json.NewDecoder(bytes.NewReader([]byte(out))).Decode(&r); err != nil || status != 0 {
		t.Fatalf("status %d: %v\n%s%s", status, err, out, errs)
	}
	return r
}
