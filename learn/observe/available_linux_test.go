package observe

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// reportAvailable prints the errors of a process without privileges.
func reportAvailable() {
	if os.Getenv("DROP") != "" {
		dropBounding(unix.CAP_PERFMON, unix.CAP_SYS_ADMIN)
	}
	fmt.Println(Available())
	_, err := Open(os.Getppid(), Options{})
	fmt.Println(err)
}

func TestUnavailable(t *testing.T) {
	requires.Root(t)
	for name, prepare := range map[string]func(*exec.Cmd){
		"a user": func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		},
		"root without capabilities": func(c *exec.Cmd) { c.Env = append(c.Env, "DROP=1", "ROLE=check") },
	} {
		t.Run(name, func(t *testing.T) {
			result := reexec.Run(t, "check", prepare)
			lines := strings.Split(strings.TrimSpace(result.Stdout), "\n")
			if len(lines) != 2 {
				t.Fatalf("%+v", result)
			}
			for _, line := range lines {
				if !strings.Contains(line, "neither cap_perfmon nor cap_sys_admin is effective") || !strings.Contains(line, "grant cap_perfmon") {
					t.Error(line)
				}
			}
		})
	}
}

func TestRefusal(t *testing.T) {
	const all, own, initial = "CapEff:\t000001ffffffffff\n", "user:[4026532000]", "user:[4026531837]"
	for _, test := range []struct{ status, namespace, want string }{
		{"CapEff:\t0000000000000001\n", initial, "grant cap_perfmon"},
		{all, own, "needed in the initial one"},
		{all + "Seccomp:\t2\n", initial, "seccomp filter is in force"},
		{all + "Seccomp:\t0\n", initial, "security module"},
		{"CapEff:\t0000004000000000\nSeccomp:\t0\n", "", "security module"},
	} {
		if got := refusal([]byte(test.status), test.namespace); !strings.Contains(got, test.want) {
			t.Errorf("%q in %s: %s, want %q", test.status, test.namespace, got, test.want)
		}
	}
}
