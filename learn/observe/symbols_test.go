package observe

import (
	"slices"
	"strings"
	"testing"
)

const kallsyms = `ffffffff81000200 T do_syscall_64
ffffffff81000000 T _stext
ffffffff81000100 t cap_capable
ffffffff81000180 D some_data
0000000000000100 A per_cpu
ffffffff81000300 T entry_SYSCALL_64_after_hwframe
ffffffffc0000000 t module_function	[module]
`

func TestSymbols(t *testing.T) {
	s, err := readSymbols(strings.NewReader(kallsyms))
	if err != nil || !s.known() {
		t.Fatal(err)
	}
	// The last function was called by the last instruction of the one before.
	got := s.functions([]uint64{0xffffffff81000100, 0xffffffff81000250, 0xffffffff81000300, 0xffffffffc0000001, 0x10})
	want := []string{"cap_capable", "do_syscall_64", "do_syscall_64", "module_function"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSymbolsHidden: a process without cap_syslog reads zeros.
func TestSymbolsHidden(t *testing.T) {
	s, err := readSymbols(strings.NewReader("0000000000000000 T cap_capable\n0000000000000000 T do_syscall_64\n"))
	if err != nil || s.known() || s.functions([]uint64{1}) != nil {
		t.Errorf("%v %+v", err, s)
	}
}

func FuzzSymbols(f *testing.F) {
	f.Add(kallsyms, uint64(0xffffffff81000100))
	f.Fuzz(func(t *testing.T, text string, address uint64) {
		s, err := readSymbols(strings.NewReader(text))
		if err != nil {
			return
		}
		if !slices.IsSorted(s.addresses) || len(s.addresses) != len(s.names) {
			t.Error("not in order")
		}
		s.functions([]uint64{address, 0, address + 1})
	})
}

func TestCallOf(t *testing.T) {
	for want, functions := range map[string][]string{
		"fchownat": {"cap_capable", "chown_common", "do_fchownat", "__x64_sys_fchownat", "do_syscall_64"},
		"bind":     {"cap_capable", "inet_bind", "__sys_bind", "__arm64_sys_bind", "invoke_syscall"},
		"umount2":  {"cap_capable", "__x64_sys_umount", "do_syscall_64"},
		"stat":     {"cap_capable", "__x64_sys_newstat.isra.0", "do_syscall_64"},
		"setuid":   {"cap_capable", "__sys_setuid", "do_syscall_64"},
		"":         {"cap_capable", "do_mmap", "vm_mmap_pgoff", "do_syscall_64"},
	} {
		if got := callOf(functions); got != want {
			t.Errorf("%q: %q, want %q", functions, got, want)
		}
	}
}

func TestAudit(t *testing.T) {
	for _, test := range []struct {
		functions       []string
		noAudit, memory bool
	}{
		{[]string{"cap_capable", "security_capable", "ns_capable", "x"}, false, false},
		{[]string{"cap_capable", "security_capable", "ns_capable_noaudit", "x"}, true, false},
		{[]string{"cap_capable", "cap_vm_enough_memory.constprop.0"}, true, true},
		{[]string{"cap_capable", "security_vm_enough_memory_mm", "mmap_region"}, true, true},
		{nil, false, false},
	} {
		if n, m := asksWithoutAudit(test.functions), accountsForMemory(test.functions); n != test.noAudit || m != test.memory {
			t.Errorf("%q: %v %v", test.functions, n, m)
		}
	}
}
