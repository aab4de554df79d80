package main

import (
	"fmt"
	"strings"
)

// A suite is one test binary that runs in the guest.
type suite struct {
	name string
	pkg  string // directory of the package, and working directory of the tests
	arch string // GOARCH; amd64 if empty
	run  string // tests to run, as for -test.run
	skip string // tests to skip, as for -test.skip
	env  []string
	// count is what the output counts, or "" for the tests themselves. Less than
	// least is a failure.
	count string
	least int
	limit int // seconds in the guest
}

// suitesFor returns the suites of each machine, in order.
func suitesFor(o options) (chosen []suite) {
	for _, s := range allSuites(o) {
		if o.only == "" || s.name == o.only {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

func allSuites(o options) []suite {
	all := []suite{
		{
			name: "model", pkg: "engine/cred", run: "^Test(Kernel|Traced.*|OverflowIDMapped)$",
			env:   []string{"CAPRUN_TEST_STRICT=1", fmt.Sprintf("CAPRUN_TEST_SEQUENCES=%d", o.sequences)},
			count: "sequences compared", least: o.sequences, limit: 2400,
		},
		{
			name: "scenes", pkg: "cmd/caprun", limit: 900,
			run: "^TestKernelVersion$|^TestScript$/^(descriptors|filecaps|filecaps_userns|mount_namespace|mount_unknown|unmapped_owner|uid0_ids)$",
		},
		{
			name: "launches", pkg: "cmd/caprun", run: "^TestLaunches$",
			env:   []string{fmt.Sprintf("CAPRUN_TEST_LAUNCHES=%d", o.launches)},
			count: "launches in", least: o.launches, limit: 1200,
		},
	}
	// Many kernels for 64 bits do not execute programs for 32 bits; these do. The tests
	// that take long need only many calls or texts, and the guest has no source files.
	all = append(all,
		suite{
			name: "cap-386", pkg: "cap", arch: "386", run: ".", limit: 900,
			skip: "^Test(IABAgainstModel|TextAgainstModel|TextRoundTrip|LaunchMany)$",
		},
		suite{
			name: "psx-386", pkg: "psx", arch: "386", run: ".", limit: 900,
			skip: "^Test(GoThreadsComeAndGo|PointersStayValid|PointersAreMarked)$",
		},
	)
	if o.short {
		return all
	}
	return append(all,
		suite{
			name: "sealed", pkg: "cmd/caprun", run: "^TestSealed(Launches|Programs)$", limit: 1200,
			env: []string{fmt.Sprintf("CAPRUN_TEST_SEALED=%d", o.launches)},
		},
		// The guest has no source of golang.org/x/sys.
		suite{name: "observe", pkg: "learn/observe", run: ".", skip: "^TestCallNumbers$", limit: 900, env: []string{"CAPRUN_TEST_HEAVY=1", "CAPRUN_TEST_STRICT=1"}},
		suite{name: "learn", pkg: "internal/test/learned", run: "^Test(Busybox|LeavesNothing|KilledAtAnyTime)$", limit: 2400, env: []string{"CAPRUN_TEST_HEAVY=1", "CAPRUN_TEST_STRICT=1"}},
		// The programs use more processor time in the emulator, and there are no docs.
		suite{
			name: "inherited", pkg: "cmd/caprun", run: "^TestInherited", skip: "^TestInheritedDocs$|^TestInherited$/^CPU_time$", limit: 600,
			env: []string{"CAPRUN_TEST_HEAVY=1"},
		},
		suite{name: "steps", pkg: "cap", run: ".", limit: 600},
		suite{name: "engine", pkg: "engine", run: ".", skip: "^TestEveryR|^TestLoaderVariablesAreDocumented$", limit: 1200, env: []string{"CAPRUN_TEST_HEAVY=1"}},
		// The guest has no module binfmt_misc and no dynamic shell, its shell has all
		// programs in one file, and it has no limit of processor time, for which the
		// Go runtime has a descriptor open.
		suite{
			name: "scripts", pkg: "cmd/caprun", run: "^TestScript$",
			skip: "^TestScript$/^(formats|missing_target|surroundings|verify_root)$", limit: 2400,
			env: []string{"CAPRUN_TEST_SCRIPT_MINUTES=40"},
		},
	)
}

// binary is the name of the test binary of a suite in the guest.
func (s suite) binary() string { return strings.ReplaceAll(s.pkg, "/", "-") + s.arch + ".test" }

// script is the first process of the guest. The tests build programs with "go build":
// the guest's go copies the built program.
func script(suites []suite) string {
	var b strings.Builder
	b.WriteString(`#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LOGNAME=root LANG=C.UTF-8
/bin/busybox --install -s /bin
umask 022
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777,size=1g tmp /tmp
ln -s /proc/self/fd /dev/fd
ifconfig lo up
hostname guest
exec >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 raw -echo
echo "@@ kernel $(uname -r)"
suite() {
  name=$1 limit=$2 dir=$3
  shift 3
  echo "@@ begin $name"
  began=$(cut -d. -f1 /proc/uptime)
  (cd "$dir" && timeout -s KILL "$limit" env "$@") </dev/null
  status=$?
  echo
  echo "@@ end $name $status $(($(cut -d. -f1 /proc/uptime) - began))"
}
`)
	for _, s := range suites {
		args := append([]string{s.name, fmt.Sprint(s.limit), "/src/" + s.pkg}, s.env...)
		args = append(args, "/tests/"+s.binary(), "-test.v", fmt.Sprintf("-test.timeout=%ds", s.limit), "-test.run="+s.run)
		if s.skip != "" {
			args = append(args, "-test.skip="+s.skip)
		}
		b.WriteString("suite")
		for _, a := range args {
			b.WriteString(" '" + a + "'")
		}
		b.WriteString("\n")
	}
	b.WriteString("echo '@@ done'\nsync\nsleep 1\npoweroff -f\n")
	return b.String()
}

// copier is the guest's go.
const copier = `#!/bin/sh
# go build ... -o OUTPUT PACKAGE: copies what was built before.
tags=
while [ $# -gt 1 ]; do
  case $1 in
  -o) out=$2; shift ;;
  -tags=?*) tags=-${1#-tags=} ;;
  esac
  shift
done
exec cp "/programs/$(basename "$1")$tags" "$out"
`
