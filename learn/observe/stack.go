package observe

import "strings"

// entryPrefixes are the beginnings of the names of the functions of system calls, the
// outermost one first: arch/x86/include/asm/syscall_wrapper.h, the same for arm64, and
// include/linux/syscalls.h. Where a function calls the next one last, the outer one may be
// missing in the stack.
var entryPrefixes = []string{
	"__x64_sys_", "__arm64_sys_", "__ia32_compat_sys_", "__ia32_sys_", "__arm64_compat_sys_",
	"__se_sys_", "__do_sys_", "ksys_", "__sys_",
}

// kernelNames are the system calls that the kernel's source calls otherwise.
var kernelNames = map[string]string{
	"newstat": "stat", "newlstat": "lstat", "newfstat": "fstat", "newuname": "uname",
	"umount": "umount2", "sendfile64": "sendfile", "fadvise64_64": "fadvise64",
}

// callOf returns the name of the system call in whose stack these functions are, innermost
// first, or "" if there is none.
func callOf(functions []string) string {
	for _, prefix := range entryPrefixes {
		for n := len(functions) - 1; n >= 0; n-- {
			name, found := strings.CutPrefix(functions[n], prefix)
			if !found {
				continue
			}
			// A compiler's copy has a suffix, such as .isra.0.
			name, _, _ = strings.Cut(name, ".")
			if renamed, found := kernelNames[name]; found {
				name = renamed
			}
			return name
		}
	}
	return ""
}

// accountsForMemory reports whether a check is part of the accounting for memory. That
// asks with the function cap_vm_enough_memory, which may be missing in the stack, as it
// calls cap_capable last.
func accountsForMemory(functions []string) bool {
	for _, name := range functions {
		switch name, _, _ = strings.Cut(name, "."); name {
		case "cap_vm_enough_memory", "security_vm_enough_memory_mm":
			return true
		}
	}
	return false
}

// asksWithoutAudit reports whether one of the functions asks for a capability with the
// option CAP_OPT_NOAUDIT. Those of kernel/capability.c have a name that says so, but one.
func asksWithoutAudit(functions []string) bool {
	for _, name := range functions {
		name, _, _ = strings.Cut(name, ".")
		if strings.HasSuffix(name, "_noaudit") || name == "ptracer_capable" {
			return true
		}
	}
	return accountsForMemory(functions)
}
