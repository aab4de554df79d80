/*
Package cred is a model of how Linux transforms the credentials of a task.

A [Cred] is the state: ids, groups, five capability sets, securebits,
no_new_privs and what matters of the user namespace. Each operation that the
kernel offers is a method. It returns the new state, or the error number that
the kernel answers with, and then the state is the old one. Nothing here makes
a system call. The package works the same on every operating system, and a
value may be used by many goroutines.

The model is compared with the kernel itself: the tests run random sequences of
operations through both.

# The sets

	I  inheritable  what may pass through exec into a file that asks for it
	P  permitted    what the task may make effective
	E  effective    what the kernel looks at when it decides
	B  bounding     what exec may still add
	A  ambient      what passes through exec into an ordinary file

Three things always hold: E is within P, A is within P, A is within I. Nothing
else does. B is no upper limit for the others: dropping a capability from it
takes nothing away that is there already, in P or in I.

A capability counts when it is in E. That is the whole check for one's own user
namespace (cap_capable in security/commoncap.c), and "has SETUID" below means
just that. Being uid 0 counts for nothing; what uid 0 has, it has because exec
gave it.

# What a task does to its own sets

The rules for these calls are in cap_capset and cap_task_prctl
(security/commoncap.c).

	capset(E', P', I')   P' within P
	                     E' within P'
	                     I' within I | B
	                     I' within I | P, unless it has SETPCAP
	                     then A' = A & P' & I'

	drop c from B        needs SETPCAP;  B' = B - c
	raise c in A         c in P and in I, not forbidden by securebits;  A' = A + c
	lower c in A         always;  A' = A - c
	securebits           needs SETPCAP, apart from the bits for interpreters
	keep-caps            always, unless locked

So P only shrinks until the next exec, and B shrinks permanently. Only I can take
in something that P lacks, and only with SETPCAP. An ambient capability takes
two steps: make it inheritable, then raise it.

# What a change of uids does

setuid, setreuid and setresuid change ids first, and need SETUID unless they
only reuse present ones. Then the sets follow, in this order
(cap_emulate_setxuid in security/commoncap.c). Real, effective and saved uid
are r, e, s.

	one of r, e, s was 0, none is now     P' = {}, E' = {}   unless keep-caps
	                                      A' = {}            even with keep-caps
	e was 0, is not now                   E' = {}            even with keep-caps
	e was not 0, is now                   E' = P

I and B stay. setfsuid has a rule of its own for the capabilities about files:
they leave E when the file system uid leaves 0 and return from P when it comes
back. The securebit no_setuid_fixup turns all of that off. A change of gids or
groups never touches a set.

To become a user and keep something, therefore: set keep-caps, change the uids,
make E equal to P again, raise the ambient set again.

# Exec

Exec is where sets come from. What the task held before matters little: E is
forgotten, P is no more than a limit that applies in some cases. The file and
the uids decide. The file is the one executed in the end: the interpreter, if a
script names one. It has up to two sets of its own, fP and fI, a flag, and the
set-id bits.

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
	          or ids change

	E ------- lost

Step by step, with r, e, s, f for the real, effective, saved and file system
uid, and rg, eg, sg, fg for the gids:

1. Set-id bits (bprm_fill_uid in fs/exec.c). S_ISUID sets e to the owner,
S_ISGID together with S_IXGRP sets eg to the group. They do nothing on a nosuid
mount, under no_new_privs, or if the namespace does not map both owner and
group.

2. File capabilities (get_file_caps). They do nothing on a nosuid mount; they do
count under no_new_privs.

	P1 = (B & fP) | (I & fI)

With the flag set, every capability of fP must be in P1, or exec fails with
EPERM, for root as well. I & fI may exceed B.

3. Root (handle_privileged_root), unless the securebit noroot is set:

	e == 0 or r == 0:   P1 = B | I
	e == 0:             as if the file had the flag

One exception: the file has capabilities, e is 0 and r is not. A file that is
set-uid root and has capabilities gives those and nothing more, even if it has
an empty set of them.

4. Unsafe exec (cap_bprm_creds_from_file, check_unsafe_exec). It is unsafe under
no_new_privs, while a task of another process shares root and working
directory, and while a tracer is attached that lacked CAP_SYS_PTRACE when it
attached. If then ids change or P1 has something that is not in P:

	P1 = P1 & P
	e = r, eg = rg      under no_new_privs, or without SETUID

"Ids change" means: e differs from the old e, or eg is neither the old fg nor
one of the supplementary groups. Before Linux 6.17: e differs from the old r,
or eg from the old rg.

5. The ids settle: s = f = e, sg = fg = eg.

6. The sets (cap_bprm_creds_from_file):

	A' = {} if the file has capabilities or ids change, else A
	P' = P1 | A'
	E' = P' with the flag, else A'
	I' = I
	B' = B

7. AT_SECURE tells the loader to distrust the environment. It is set if ids
change in the sense of step 4; if e and r, or eg and rg, now differ; or if r is
not 0 and the flag is set (also by step 3) or P' exceeds A'. Ambient
capabilities alone do not set it.

For an ordinary file, one without set-id bits and without capabilities, a safe
exec comes down to this:

	                             P'           E'
	user                         A            A
	e == 0                       B | I        P'
	r == 0, e != 0               B | I | A    A
	noroot, any uid              A            A

What surprises:

  - Root that emptied P gets everything in B and I back with the next exec.
    What prevents it is noroot; or a smaller B and a smaller I; or a smaller P
    and no_new_privs.
  - A user who is not root carries nothing through exec but A, and what the
    file brings.
  - A file with capabilities, even an empty set, takes A away. So does a
    set-user-ID or set-group-ID file of another owner. On a nosuid mount, set-id bits
    and capabilities are as if they were not there, and A stays.
  - no_new_privs limits by P. A task that still has a capability in P gets it
    from a file that offers it.
  - noroot stops neither set-uid files nor file capabilities. It only takes the
    capabilities from being uid 0.

# A new user namespace

Inside it the task has everything: P = E = B = all, I = A = {}, securebits 0,
even locked ones (set_cred_user_ns in kernel/user_namespace.c). The ids are
those that the maps say; where 0 is not mapped nobody is root, and none of the
rules about 0 applies. no_new_privs stays. A tracer without CAP_SYS_PTRACE makes
exec unsafe no longer if its effective uid is the one that created the
namespace: who creates a user namespace has every capability over it.

# Versions

The rules differ between kernel releases in a few points. [Rules] names them, so
that one machine can predict for another. See [Linux].

# Outside the model

Whether a file is found and may be opened; resource limits; the dumpable flag
and the parent-death signal, which a change of credentials resets; security
modules other than commoncap; keyrings.
*/
package cred
