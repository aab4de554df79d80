package learned

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// launches starts a program with each profile in the working directory, without learn, and
// prints the name of the profile and whether the program works. The first launch makes what
// the first run of learn has made.
const launches = `
trial() {
	profile=$1
	shift
	sh -c "$RESET" >/dev/null 2>&1
	"$CAPRUN" -profile "$profile" -- "$@" >log 2>&1 </dev/null &
	pid=$!
	result=fails
	end=$(($(date +%s)+6))
	while [ $(date +%s) -lt $end ]; do
		if [ -n "$TEST" ]; then
			if timeout 2 sh -c "$TEST" >/dev/null 2>&1; then
				# It must not end soon.
				sleep 0.5
				timeout 2 sh -c "$TEST" >/dev/null 2>&1 && result=works
				break
			fi
		elif ! kill -0 $pid 2>/dev/null; then
			wait $pid && result=works
			break
		fi
		sleep 0.1
	done
	echo "$profile $result: $(tail -n 1 log)"
	kill -TERM -1
	sleep 0.5
	kill -KILL -1
	wait
}
for profile in ./all.yaml ./learned.yaml ./without-*.yaml; do
	test -e "$profile" && trial "$profile" "$@"
done
`

// proveByLaunches starts a program as a user would, with the profile that learn found, and
// without each of its capabilities.
func proveByLaunches(t *testing.T, p program, profile string) {
	t.Helper()
	setup := p.setup + "\n"
	write := func(name, text string) {
		setup += fmt.Sprintf("cat >%s.yaml <<'END OF PROFILE'\n%sEND OF PROFILE\n", name, text)
	}
	write("all", "version: 1\n")
	write("learned", profile)
	want := map[string]string{"./all.yaml": "works", "./learned.yaml": "works"}
	for _, name := range capsOf(t, profile) {
		write("without-"+name, withoutCap(profile, name))
		want["./without-"+name+".yaml"] = "fails"
	}
	argv := []string{"env", "CAPRUN=" + caprun(t), "TEST=" + p.flag("-test"), "RESET=" + p.flag("-reset"), "sh", "-c", launches, "sh"}
	out, errs, _ := box{Dirs: p.dirs, Setup: setup, Argv: append(argv, p.argv...)}.run(t)
	for line := range strings.Lines(out) {
		name, result, _ := strings.Cut(line, " ")
		if expected, ok := want[name]; !ok || !strings.HasPrefix(result, expected+":") {
			t.Errorf("%s want %q", line, expected)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("no launch with %v:\n%s%s", want, out, errs)
	}
}

// flag returns the value of a flag of learn; empty if it is not set.
func (p program) flag(name string) string {
	if n := slices.Index(p.flags, name); n >= 0 {
		return p.flags[n+1]
	}
	return ""
}

var capsLine = regexp.MustCompile(`(?m)^caps: (?:"="|(.*)=[eip]+)$`)

// capsOf returns the names of the capabilities of a learned profile.
func capsOf(t *testing.T, profile string) []string {
	t.Helper()
	m := capsLine.FindStringSubmatch(profile)
	switch {
	case m == nil:
		t.Fatalf("no caps in\n%s", profile)
	case m[1] == "":
		return nil
	}
	return strings.Split(m[1], ",")
}

// withoutCap returns a profile without one of its capabilities.
func withoutCap(profile, name string) string {
	line := capsLine.FindString(profile)
	short := strings.Replace(strings.Replace(line, name+",", "", 1), ","+name, "", 1)
	if short == line { // the only one
		short = `caps: "="`
	}
	return strings.Replace(profile, line, short, 1)
}
