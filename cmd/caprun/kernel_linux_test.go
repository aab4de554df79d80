package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/machine"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestKernelVersion runs launches whose outcome depends on the kernel. make test-kernels
// runs it on several kernels.
func TestKernelVersion(t *testing.T) {
	requires.Root(t)
	umask := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(umask) })
	rules := machine.KernelRules()
	t.Logf("rules: %+v, statmount: %v", rules, unix.ENOSYS != statmount())

	dir := scriptRoot(t)
	runas, creds := program(t, "caprun/internal/test/runas"), program(t, "caprun/internal/test/creds")
	data, err := os.ReadFile(creds)
	if err != nil {
		t.Fatal(err)
	}
	// A child that is started meanwhile must not have the program open for writing.
	group := filepath.Join(dir, "setgid")
	syscall.ForkLock.RLock()
	err = os.WriteFile(group, data, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(group, 0, 2000); err != nil {
		requires.Skip(t, "needs to give files to groups: "+err.Error())
	}
	if err := unix.Chmod(group, 0o2755); err != nil {
		t.Fatal(err)
	}

	const launched, refused = 0, 125
	user := []string{"keepcaps", "gid=1000,1000,1000", "groups=1000,2000", "uid=1000,1000,1000",
		"caps=0x2100", "inheritable=0x2100", "ambient=0x2100"}
	for _, tt := range []struct {
		name, profile string
		caller        []string
		target        string
		here          bool // the target runs on this kernel
		key           string
		want          []string // lines of the target
	}{
		{
			name: "securebits 8 to 11, since 6.14", profile: "secbits: [exec_restrict_file]", target: creds,
			here: rules.ExecSecurebits, key: "2:", want: []string{"securebits: 100"},
		},
		{
			// Until 6.17 this changes the IDs, and the ambient set is lost.
			name: "set-group-ID for a group that the caller is in, since 6.17", profile: "caps: cap_net_raw=eip", caller: user, target: group,
			here: rules.EffectiveIDChange, key: "2:",
			want: []string{"gids: 1000 2000 2000 2000", "permitted: 2000", "effective: 2000", "ambient: 2000"},
		},
		{
			name: "close_range with the close-on-exec flag, since 5.11", profile: "umask: \"0077\"", caller: []string{"fd=9:/"}, target: creds,
			here: true, want: []string{"descriptors: 0 1 2"},
		},
		{
			name: "without close_range", profile: "umask: \"0077\"", caller: []string{"fd=9:/", "forbid=close_range:38"}, target: creds,
			here: true, want: []string{"descriptors: 0 1 2"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			profile := filepath.Join(dir, "profile.yaml")
			if err := os.WriteFile(profile, []byte("version: 1\n"+tt.profile+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			args := append(append([]string{}, tt.caller...), "--", caprun(t), "-profile", profile, "--", tt.target)
			out, messages, status := outcome(t, exec.Command(runas, args...))
			if !tt.here {
				if status != refused || out != "" || !strings.HasPrefix(messages, "caprun: "+profile+":"+tt.key) {
					t.Errorf("status %d, want %d and a message about line %s\n%s%s", status, refused, tt.key, out, messages)
				}
				t.Logf("refused: %s", messages)
				return
			}
			if status != launched {
				t.Fatalf("status %d: %s", status, messages)
			}
			for _, line := range tt.want {
				if !strings.Contains("\n"+out, "\n"+line+"\n") {
					t.Errorf("the target lacks %q:\n%s", line, out)
				}
			}
		})
	}
}

// statmount returns the error of statmount(2) without arguments.
func statmount() error {
	const number = 457 // on every architecture
	_, _, errno := unix.Syscall6(number, 0, 0, 0, 0, 0, 0)
	return errno
}
