package systemd

import (
	"slices"
	"strings"
)

// isSystemCall reports whether a word of SystemCallFilter= is a group or a system call that
// every systemd from version 252 on knows, with an optional errno. systemd can know others,
// too.
func isSystemCall(word string) bool {
	if strings.HasPrefix(word, "@") {
		return slices.Contains(systemCallGroups[:], word)
	}
	name, errno, hasErrno := strings.Cut(word, ":")
	if hasErrno && !slices.Contains(systemCallErrnos[:], errno) {
		return false // systemd ignores a word with an unknown errno
	}
	return name != "" && strings.Contains(systemCalls, " "+name+" ")
}

// systemCallErrnos are common names after the colon in SystemCallFilter=.
var systemCallErrnos = [...]string{"kill", "EPERM", "EACCES", "ENOSYS", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "EAFNOSUPPORT"}

// systemCallGroups are the groups of system calls in systemd.exec(5) of version 252.
var systemCallGroups = [...]string{
	"@aio", "@basic-io", "@chown", "@clock", "@cpu-emulation", "@debug", "@default", "@file-system", "@io-event",
	"@ipc", "@keyring", "@known", "@memlock", "@module", "@mount", "@network-io", "@obsolete", "@pkey",
	"@privileged", "@process", "@raw-io", "@reboot", "@resources", "@setuid", "@signal", "@swap",
	"@sync", "@system-service", "@timer",
}

// isArchitecture reports whether a word of SystemCallArchitectures= is in systemd.exec(5) of
// version 252.
func isArchitecture(word string) bool {
	return slices.Contains(architectures[:], word)
}

var architectures = [...]string{
	"native", "x86", "x86-64", "x32", "arm", "arm64", "mips", "mips-le", "mips64", "mips64-le",
	"mips64-n32", "mips64-le-n32", "ppc", "ppc64", "ppc64-le", "riscv64", "s390", "s390x",
}

// isFamily reports whether a word of RestrictAddressFamilies= is one of address_families(7)
// that every systemd knows.
func isFamily(word string) bool { return slices.Contains(families[:], word) }

var families = [...]string{
	"AF_UNIX", "AF_INET", "AF_AX25", "AF_IPX", "AF_APPLETALK", "AF_X25", "AF_INET6", "AF_KEY", "AF_NETLINK",
	"AF_PACKET", "AF_PPPOX", "AF_RDS", "AF_LLC", "AF_IB", "AF_MPLS", "AF_CAN", "AF_TIPC", "AF_BLUETOOTH",
	"AF_RXRPC", "AF_PHONET", "AF_IEEE802154", "AF_ALG", "AF_NFC", "AF_VSOCK", "AF_KCM", "AF_QIPCRTR", "AF_SMC", "AF_XDP",
}

// systemCalls has the system calls of x86-64 up to Linux 4.18:
// arch/x86/entry/syscalls/syscall_64.tbl. systemd knows those of every architecture.
const systemCalls = " " +
	"_sysctl accept accept4 access acct add_key adjtimex alarm arch_prctl bind bpf brk capget capset chdir chmod " +
	"chown chroot clock_adjtime clock_getres clock_gettime clock_nanosleep clock_settime clone close connect " +
	"copy_file_range creat create_module delete_module dup dup2 dup3 epoll_create epoll_create1 epoll_ctl " +
	"epoll_pwait epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat fadvise64 fallocate " +
	"fanotify_init fanotify_mark fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr finit_module " +
	"flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futimesat get_kernel_syms " +
	"get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid " +
	"getgroups getitimer getpeername getpgid getpgrp getpid getpmsg getppid getpriority getrandom getresgid " +
	"getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr init_module " +
	"inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents " +
	"io_setup io_submit ioctl ioperm iopl ioprio_get ioprio_set kcmp kexec_file_load kexec_load keyctl kill lchown " +
	"lgetxattr link linkat listen listxattr llistxattr lookup_dcookie lremovexattr lseek lsetxattr lstat madvise " +
	"mbind membarrier memfd_create migrate_pages mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap " +
	"modify_ldt mount move_pages mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink " +
	"mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat " +
	"nfsservctl open open_by_handle_at openat pause perf_event_open personality pipe pipe2 pivot_root pkey_alloc " +
	"pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_vm_readv process_vm_writev " +
	"pselect6 ptrace putpmsg pwrite64 pwritev pwritev2 query_module quotactl read readahead readlink readlinkat " +
	"readv reboot recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 request_key " +
	"restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn " +
	"rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min " +
	"sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity " +
	"sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop " +
	"sendfile sendmmsg sendmsg sendto set_mempolicy set_robust_list set_thread_area set_tid_address setdomainname " +
	"setfsgid setfsuid setgid setgroups sethostname setitimer setns setpgid setpriority setregid setresgid " +
	"setresuid setreuid setrlimit setsid setsockopt settimeofday setuid setxattr shmat shmctl shmdt shmget shutdown " +
	"sigaltstack signalfd signalfd4 socket socketpair splice stat statfs statx swapoff swapon symlink symlinkat " +
	"sync sync_file_range syncfs sysfs sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun " +
	"timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask umount2 " +
	"uname unlink unlinkat unshare uselib userfaultfd ustat utime utimensat utimes vfork vhangup vmsplice wait4 " +
	"waitid write writev "
