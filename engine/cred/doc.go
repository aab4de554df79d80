/*
Package cred is a model of how Linux changes the credentials of a task.

A [Cred] is the state: IDs, groups, five capability sets, securebits, no_new_privs and
the facts about the user namespace that matter. Each operation of the kernel is a
method. It returns the new state, or the error number of the kernel and the unchanged
state. The package makes no system calls, and works the same on every operating system.
Several goroutines may use the same value.

The tests compare the model with the kernel: they run random sequences of operations
in both.

# The sets

	I  inheritable  what may pass through exec to a file that asks for it
	P  permitted    what the task may make effective
	E  effective    what the kernel checks
	B  bounding     what exec may add
	A  ambient      what passes through exec to an ordinary file

The kernel keeps three invariants: E is within P, A is within P, A is within I. B does
not limit the other sets: to drop a capability from B does not remove it from P or I.

A task has a capability, for an access check in its own user namespace, if and only if
it is in E (cap_capable in security/commoncap.c). "Has SETUID" below means that. uid 0
alone grants nothing; uid 0 has capabilities because exec granted them.

# How a task changes its own sets

The rules for these calls are in cap_capset and cap_task_prctl
(security/commoncap.c).

	capset(E', P', I')   P' within P
	                     E' within P'
	                     I' within I | B
	                     I' within I | P, unless it has SETPCAP
	                     then A' = A & P' & I'

	drop c from B        needs SETPCAP;  B' = B - c
	raise c in A         c in P and in I, not denied by securebits;  A' = A + c
	lower c in A         always;  A' = A - c
	securebits           needs SETPCAP, except for the bits for interpreters
	keep-caps            always, unless locked

So P only shrinks until the next exec, and B only shrinks. Only I can gain a capability
that is not in P, and only with SETPCAP. An ambient capability needs two steps: make it
inheritable, then raise it.

# Changes of uids

setuid, setreuid and setresuid first change the IDs. They need SETUID unless each new
ID is a present one. Then the sets change, in this order (cap_emulate_setxuid in
security/commoncap.c). The real, effective and saved uid are r, e, s.

	one of r, e, s was 0, none is now     P' = {}, E' = {}   unless keep-caps
	                                      A' = {}            even with keep-caps
	e was 0, is not now                   E' = {}            even with keep-caps
	e was not 0, is now                   E' = P

I and B do not change. setfsuid changes only the capabilities for file access: E loses
them when the file system uid changes from 0, and gains those in P when it changes to 0.
The securebit no_setuid_fixup disables all of these rules. Changes of gids and groups do
not change a set.

So to change to another user and keep capabilities: set keep-caps, change the uids, make
E equal to P, and raise the ambient capabilities again.

# Exec

The sets after exec depend mainly on the file and the uids. E is lost, and P only limits
the new sets in some cases. "The file" is the one that exec executes in the end: for a
script, the interpreter. It can have two sets, fP and fI, a flag, and set-id bits.

	before        by the file              if unsafe                 after

	B ---+------- & fP ---------+
	     |                      |
	     +-- B | I for uid 0 ---+--- P1 ---- & P ----+---- P' ---+
	     |                      |             ^      |           |
	I ---+------- & fI ---------+             |      |           +--- E' = P' with the flag
	                                          |      |           |         or effective uid 0,
	P ----------------------------------------+      |           |    E' = A' otherwise
	                                                 |           |
	A ------- lost if the file has capabilities -----+---- A' ---+
	          or IDs change

	E ------- lost

The steps, with r, e, s, f for the real, effective, saved and file system uid, and rg,
eg, sg, fg for the gids:

1. Set-id bits (bprm_fill_uid in fs/exec.c). S_ISUID sets e to the owner. S_ISGID
together with S_IXGRP sets eg to the group. They have no effect on a nosuid mount, under
no_new_privs, or if the user namespace does not map both the owner and the group.

2. File capabilities (get_file_caps). They have no effect on a nosuid mount; they do
under no_new_privs.

	P1 = (B & fP) | (I & fI)

With the flag, every capability of fP must be in P1. Otherwise exec fails with EPERM,
also for root. I & fI may exceed B.

3. Root (handle_privileged_root), unless the securebit noroot is set:

	e == 0 or r == 0:   P1 = B | I
	e == 0:             as if the file had the flag

There is one exception: a file that has capabilities, even an empty set, and for which e
is 0 but r is not (a set-user-ID root file). It grants its capabilities only.

4. Unsafe exec (cap_bprm_creds_from_file, check_unsafe_exec). Exec is unsafe under
no_new_privs, while a task of another process shares the root and working directory, and
while a tracer is attached that lacked CAP_SYS_PTRACE when it attached. If exec is
unsafe, and IDs change or P1 exceeds P:

	P1 = P1 & P
	e = r, eg = rg      under no_new_privs, or without SETUID

"IDs change" means: e differs from the old e, or eg is neither the old fg nor a
supplementary group. Before Linux 6.17: e differs from the old r, or eg from the old rg.

5. The other IDs: s = f = e, sg = fg = eg.

6. The sets (cap_bprm_creds_from_file):

	A' = {} if the file has capabilities or IDs change, else A
	P' = P1 | A'
	E' = P' with the flag, else A'
	I' = I
	B' = B

7. AT_SECURE makes the dynamic loader ignore parts of the environment. It is set if IDs
change as in step 4; if e and r, or eg and rg, now differ; or if r is not 0 and either
the flag is set (also by step 3) or P' exceeds A'. Ambient capabilities alone do not set it.

For an ordinary file, without set-id bits and capabilities, a safe exec comes to:

	                             P'           E'
	user                         A            A
	e == 0                       B | I        P'
	r == 0, e != 0               B | I | A    A
	noroot, any uid              A            A

Easy to miss:

  - If root empties P, the next exec grants everything in B and I again. To prevent it:
    noroot, or a smaller B and I, or a smaller P and no_new_privs.
  - A user other than root gets after exec only A and what the file grants.
  - A file with capabilities, even an empty set, empties A. So does a set-user-ID or
    set-group-ID file of another owner. On a nosuid mount both are ordinary files, and A
    is unchanged.
  - no_new_privs limits the new sets to P, but does not disable file capabilities: a
    file grants those of its capabilities that are in P.
  - noroot disables neither set-user-ID files nor file capabilities. It only disables
    what exec grants because of uid 0.

# A new user namespace

In it the task has every capability: P = E = B = all, I = A = {}. The securebits are 0,
even locked ones (set_cred_user_ns in kernel/user_namespace.c). The IDs are those that
the maps define. If 0 is not mapped, no task is root, and no rule about 0 applies.
no_new_privs is unchanged. A tracer without CAP_SYS_PTRACE no longer makes exec unsafe
if its effective uid is that of the creator of the namespace, who has every capability
over it.

# Versions

The rules differ between kernel versions in a few points, which [Rules] names. [Linux]
returns the rules of a version.

# Outside the model

Whether a file exists and may be opened; resource limits; the dumpable flag and the
parent-death signal, which the kernel resets when credentials change; security modules
other than commoncap; keyrings.
*/
package cred
