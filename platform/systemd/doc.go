// Package systemd reads a service unit of systemd, with its drop-ins and socket units, and
// returns what the processes of the service get.
//
// It follows systemd 252 as the manager of the system, which runs as root with every
// capability. Where a later version differs, a comment or a message says so. The sources
// are systemd.unit(5), systemd.service(5), systemd.exec(5), and of systemd itself the
// functions exec_child (src/core/execute.c; exec-invoke.c since version 255),
// unit_patch_contexts (src/core/unit.c) and the parsers in src/core/load-fragment.c.
//
// Since version 255, a service with an explicit User=root, NoNewPrivileges=yes and a filter
// of system calls does not have CAP_SETUID in its permitted and effective sets if the
// capability is not ambient, and the profile still declares it: a loss says so. Tests compare
// version 252 only.
//
// # Environment
//
// systemd does not pass on its own environment. The profile keeps no variable except those
// that systemd makes at each start and that caprun must pass on when the unit starts
// it: LISTEN_FDS and its like with sockets, NOTIFY_SOCKET, WATCHDOG_PID and WATCHDOG_USEC,
// and those of PassEnvironment=. It sets PATH to the value in systemd.exec(5), the variables
// of Environment=, those of directories such as STATE_DIRECTORY, and for User=root or a
// command with the prefix + or ! also USER and LOGNAME. For another user, caprun sets HOME,
// USER and LOGNAME from the user database, as systemd does. These variables are not in the
// profile: SHELL, LANG and others of locale.conf(5), INVOCATION_ID, SYSTEMD_EXEC_PID,
// JOURNAL_STREAM, and those of EnvironmentFile=, which is never read.
//
// # Others
//
// Every command starts with the working directory /, the umask 0022 and a new session, if
// the unit does not say otherwise. The resource limits that the unit does not set are those
// of systemd-system.conf(5); the profile does not have them.
//
// The package does no input or output.
//
// The package serves the command. Its Go API may change in any release.
package systemd
