package policy

import (
	"strings"
	"testing"
)

// TestSuggestions: similar words have a suggestion, others have none.
func TestSuggestions(t *testing.T) {
	for word, want := range map[string]string{
		"cap_net_bind_servce": "cap_net_bind_service", "net_bind_service": "cap_net_bind_service", "CAP_NET_BIND_SERVICE": "cap_net_bind_service",
		"NET_RAW": "cap_net_raw", "cap-net-raw": "cap_net_raw", "cap_net_wra": "cap_net_raw", "cap_net_bind": "cap_net_bind_service",
		"cap_sysadmin": "cap_sys_admin", "chwon": "cap_chown", "cap_zzz": "", "cap_": "", "x": "", "cap_audit": "", strings.Repeat("cap_kill", 100): "",
	} {
		if got := capabilityHint(word, nil); got != didYouMean(want) {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{
		"nmae": "name", "Version": "version", "verison": "version", "no-new-privs": "no_new_privs", "NoNewPrivileges": "no_new_privs",
		"Capabilities": "caps", "capS": "caps", "securebits": "secbits", "workdir": "cwd", "rlimit": "rlimits", "keepfds": "keep_fds",
		"xyz": "", "": "", "1": "", "seccomp": "",
	} {
		if got := suggestKey(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
