package learned

import (
	"fmt"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// functions are those of the scripts below. They need no program that busybox does not have.
//
// The probes are those of one process, as other processes of the machine may have probes.
// caprun does not find tracefs mounted: only the function traces has it.
const functions = `
traces() {
	unshare -m sh -c 'mount -t tracefs tracefs /sys/kernel/tracing && cd /sys/kernel/tracing && "$@"' sh "$@"
}
probes() {
	traces sh -c 'cat kprobe_events 2>/dev/null | grep -c "$0"' "$(cat owner)"
}
# owner PID prints what is in the names of its probes: the process ID and the start time.
owner() {
	echo "_$1_$(sed 's/.*) //' /proc/$1/stat | cut -d' ' -f20)_"
}
processes() {
	cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -o '[s]h daemon\|[s]leep 1000\|[-]learn-[a-z]*' | sort -u
}
waitForEnd() {
	tries=20
	while [ -n "$(processes)" ] && [ $((tries -= 1)) -gt 0 ]; do
		test "$HOW" != both || kill -KILL -1
		sleep 0.5
	done
}
`

// leftovers starts learn, ends its processes in the way of $HOW when the test of the program
// runs, and prints which processes and probes are left.
const leftovers = `
end() {
	until test -e ready || test -e ended; do sleep 0.1; done
	guard=$(cat guard)
	worker=$(cat /proc/$guard/task/*/children)
	owner $worker >owner
	probes >during
	case $HOW in
	guard) kill -KILL $guard ;;
	worker) kill -KILL $worker ;;
	crash) kill -SEGV $worker ;;
	both) kill -KILL $guard $worker ;;
	twice)
		kill -TERM $guard
		sleep 0.3
		kill -TERM $guard
		;;
	*) kill -$HOW $guard ;;
	esac
}
cat >daemon <<'END'
touch started
trap '' TERM INT HUP
(setsid sh -c "trap '' TERM INT HUP; while :; do sleep 1000; done" &)
while :; do sleep 1000; done
END
traces ls instances >before
# Not with &: the program would ignore SIGINT.
end &
sh -c 'echo $$ >guard; exec "$CAPRUN" learn -timeout 1000s -test "test -e started && touch ready && sleep 1000" $FLAGS -- sh daemon' >out 2>err
echo "status $?"
touch ended
wait
waitForEnd
echo "processes:" $(processes)
echo "probes: $(cat during), then $(probes)"
if test "$HOW" = both; then
	"$CAPRUN" learn $FLAGS true >out 2>err
	echo "learn again: status $?, probes: $(probes)"
fi
traces ls instances | cmp - before && echo "instances: equal"
traces ls -d events/capability/cap_capable
cat out err
`

// TestLeavesNothing: whichever process of learn ends, by whichever signal, nothing is left.
// If all of them end at once, the next learn removes the probes.
func TestLeavesNothing(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	for _, flags := range []string{"", "-no-trace"} {
		for how, want := range map[string]struct {
			status int
			text   string
		}{
			"INT":    {1, "caprun: learn: interrupted;"},
			"TERM":   {1, "caprun: learn: interrupted;"},
			"HUP":    {1, "caprun: learn: interrupted;"},
			"twice":  {1, "caprun: learn: a signal (9) has ended the process that runs the program"},
			"worker": {1, "caprun: learn: a signal (9) has ended the process that runs the program"},
			"crash":  {2, "SIGSEGV"},
			"guard":  {137, ""},
			"both":   {137, ""},
		} {
			t.Run(strings.TrimSpace(how+" "+flags), func(t *testing.T) {
				// The text of the script is not among the arguments of a process.
				b := box{Setup: "cat >script <<'EOF'\n" + functions + leftovers + "\nEOF\n", Argv: []string{"env", "CAPRUN=" + caprun(t), "HOW=" + how, "FLAGS=" + flags, "sh", "script"}}
				out, errs, _ := b.run(t)
				made, stale := 0, 0
				if flags == "" && !strings.Contains(out, "\nevents/capability/cap_capable\n") {
					made = 2 // the kernel lacks the tracepoint
				}
				if how == "both" {
					stale = made
				}
				expected := fmt.Sprintf("status %d\nprocesses:\nprobes: %d, then %d\n", want.status, made, stale)
				if how == "both" {
					expected += "learn again: status 0, probes: 0\n"
				}
				expected += "instances: equal\n"
				if !strings.HasPrefix(out, expected) || !strings.Contains(out, want.text) {
					t.Errorf("want %q and %q\n%s%s", expected, want.text, out, errs)
				}
			})
		}
	}
}

// killed starts learn $TIMES times, kills one of its processes each time a little later, and
// prints which processes and probes are left. The first kill may come too early.
const killed = `
busy() {
	touch file
	exec "$CAPRUN" learn -reset 'chown 0 file' -- sh -c 'chown 33 file && chroot / true'
}
hundredths() {
	cut -d' ' -f1 /proc/uptime | tr -d .
}
began=$(hundredths)
(busy) >out 2>&1 || cat out
took=$(($(hundredths) - began))
n=1 tries=0
while [ $n -le $TIMES ] && [ $((tries += 1)) -lt 100 ]; do
	(busy) >out 2>&1 &
	guard=$!
	pause=$((took * n / TIMES / 2))
	sleep $((pause / 100)).$((pause / 10 % 10))$((pause % 10))
	worker=$(cat /proc/$guard/task/*/children 2>/dev/null)
	if [ -z "$worker" ]; then
		wait $guard 2>/dev/null
		# The first pause may be too short, the others too long.
		if [ $n = 1 ]; then n=2; else took=$((took * 3 / 4)); fi
		continue
	fi
	owner $worker >owner
	probes >during
	if [ $((n % 2)) = 0 ]; then
		kill -KILL $guard
	else
		kill -KILL $worker
	fi
	wait $guard 2>/dev/null
	waitForEnd
	left=$(probes)
	echo "killed: probes $(cat during)"
	n=$((n + 1))
	test "$left" = 0 && test -z "$(processes)" || { echo "after $pause/100 s: $left probes," $(processes); cat out; }
done
traces ls -d events/capability/cap_capable
`

// TestKilledAtAnyTime: nothing is left if a process of learn is killed between the runs, or
// while it makes or removes probes.
func TestKilledAtAnyTime(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	b := box{Setup: "cat >script <<'EOF'\n" + functions + killed + "\nEOF\n", Argv: []string{"env", "CAPRUN=" + caprun(t), "TIMES=8", "sh", "script"}}
	out, errs, _ := b.run(t)
	t.Log("\n" + out)
	if kills := strings.Count(out, "killed: probes "); kills < 7 || strings.Contains(out, "\nafter ") {
		t.Errorf("%d kills\n%s%s", kills, out, errs)
	}
	if !strings.Contains(out, "\nevents/capability/cap_capable\n") && !strings.Contains(out, "killed: probes 2\n") {
		t.Errorf("no probes were made\n%s%s", out, errs)
	}
}
