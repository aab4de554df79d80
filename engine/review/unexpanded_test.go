package review

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func messagesOf(t *testing.T, rule, text string) []string {
	t.Helper()
	var found []string
	for _, f := range Check("x.yaml", []byte(text), Options{}).Findings {
		if f.Severity.String() == "error" {
			t.Errorf("%s%v", text, f)
		}
		if f.Rule == rule {
			found = append(found, f.Position.String()+" "+f.Message+"; "+f.Hint)
		}
	}
	return found
}

const plainUser = "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\n"

// TestReference checks which texts count as references.
func TestReference(t *testing.T) {
	for text, want := range map[string]string{
		"$HOME": "$HOME", "${PORT}": "${PORT}", "$(POD_IP)": "$(POD_IP)", "--port=$PORT": "$PORT", "$PATH:/opt/bin": "$PATH",
		"$(hostname)": "$(hostname)", "${PORT:-80}": "${PORT:-80}", "x${port}y": "${port}", "$port": "$port", "--p=$port": "$port", "$A_1/x": "$A_1",
		"%i": "%i", "/etc/web/%i.conf": "%i", "--name=%I": "%I", "web@%i": "%i", "%h/.config": "%h", "--dir=%S/web": "%S", "a:%t/b": "%t",
		"~": "~", "~/x": "~", "~root/x": "~root", "--config=~/x": "~", "/bin:~/bin": "~",

		"": "", "$": "", "$$": "", "$1": "", "$$HOME": "", "a$": "", "^x$|y": "", "$2y$10$abcdef": "", "$apr1$Xx$Yy": "", "$6$rounds=5$AbC$": "",
		"$remote_addr - $remote_user": "", "$.items[0]": "", "$x.y": "", "${": "", "${}": "", "$(": "", "$()": "", "${1}": "", "cost $5": "", "$A": "$A", "$A-b": "",
		"%": "", "100%": "", "%%i": "", "%d": "", "%i %d": "", "+%H:%M": "", "%h %l %u": "", "%{http_code}": "", "a%20b": "", "%in": "", "x%i": "", "%Y/%m": "", "/%h/": "",
		"a~": "", "1.0~rc1": "", "a/~/b": "", "~x": "", "x ~ y": "", "=~": "~", "job=~x": "",
	} {
		if got, hint := reference(text); got != want || (hint != "") != (want != "") {
			t.Errorf("%q: %q %q, want %q", text, got, hint, want)
		}
	}
	long := "${" + strings.Repeat("A", 1000) + "}"
	if got, _ := reference(long); len(got) > maxReference {
		t.Errorf("a long name: %q", got)
	}
}

func TestNotExpanded(t *testing.T) {
	for body, want := range map[string]int{
		"command: [/bin/server, --port=$PORT, \"${HOST}\", ~/data]\n":          3,
		"command: [/bin/server@%i]\n":                                          1,
		"command: [~/bin/server]\n":                                            1,
		"chroot: /srv/%i\ncwd: /home/$USER\n":                                  2,
		"env: {set: {PATH: \"$PATH:/opt/bin\", CONF: \"~/x\", A: \"$(B)\"}}\n": 3,
		"env: {set: {PS1: \"$HOME\", BASH_ENV: \"~/x\"}}\n":                    0,
		"command: [/bin/sh, -c, \"exec x $HOME ~/x\"]\n":                       0,
		"command: [env, A=b, /bin/bash, -ec, \"x ${A}\"]\n":                    0,
		"command: [env, A=$B, /bin/server]\n":                                  1,
		"command: [/bin/sh, /opt/run.sh, $PORT]\n":                             1,
		"command: [perl, -e, \"print $ENV{X}\"]\n":                             0,
		"command: [awk, \"{print $NF}\"]\n":                                    0,
		"command: [env, -S, \"server ${PORT}\"]\n":                             0,
		"command: [env, \"-Sserver ${PORT}\"]\n":                               0,
		"command: [/bin/server, -S, \"${PORT}\"]\n":                            1,
		"command: [/bin/server, \"^a$|b\", 100%, a~, \"cost $5\"]\n":           0,
	} {
		if found := messagesOf(t, "not-expanded", plainUser+body); len(found) != want {
			t.Errorf("%s%q, want %d", body, found, want)
		}
	}
	want := []string{"6:26 this word contains $PORT, which caprun does not expand; write the value, or start a shell that expands it: [/bin/sh, -c, …]"}
	if found := messagesOf(t, "not-expanded", plainUser+"command: [/bin/server,   --port=$PORT]\n"); !slices.Equal(found, want) {
		t.Errorf("%q", found)
	}
}

func TestProgramWithSpace(t *testing.T) {
	for command, want := range map[string]string{
		`["/bin/server --port 80"]`:           "6:11",
		`["/bin/server\t-x", a]`:              "6:11",
		`[nice, "/bin/server -x"]`:            "6:17",
		`["nice -n 5 /bin/server"]`:           "6:11",
		`[/bin/server, "a b"]`:                "",
		`[/bin/sh, -c, "a b"]`:                "",
		`[env, -S, "server -x"]`:              "",
		`[env, "A=b c", /bin/server]`:         "",
		`[env, "A=b c", "/bin/server -x"]`:    "6:25",
		`["/opt/My App/bin/server", "a b c"]`: "6:11",
	} {
		found := messagesOf(t, "program-with-space", plainUser+"command: "+command+"\n")
		if want == "" && found == nil {
			continue
		}
		if len(found) != 1 || !strings.HasPrefix(found[0], want+" ") {
			t.Errorf("%s: %q, want %q", command, found, want)
		}
	}
}

func TestLimitTooLow(t *testing.T) {
	for limit, want := range map[string]string{
		"stack: 8192":                            "stack is 8192 bytes: the kernel kills most programs when they start; write 8388608 for 8192 KiB; stack is in bytes, ulimit in KiB",
		"stack: {soft: 8192, hard: unlimited}":   "write 8388608 for 8192 KiB",
		"stack: {soft: 8388608, hard: 16777216}": "", "stack: 131072": "", "stack: unlimited": "", "stack: 0": "stack is 0 bytes",
		"as: 2097152": "write 2147483648 for", "as: 4194304": "write", "as: 8388608": "", "data: 1048576": "write 1073741824", "data: 16777216": "",
		"core: 0": "", "core: 1": "", "core: 1024": "write 1048576", "core: 1048576": "", "core: unlimited": "",
		"fsize: 0": "", "fsize: 1024": "write 1048576", "fsize: 4096": "", "memlock: 0": "", "memlock: 64": "write 65536", "memlock: 8192": "write 8388608", "memlock: 65536": "",
		"cpu: 0": "cpu is in seconds", "cpu: 1": "", "rttime: 5": "rttime is in microseconds", "rttime: 0": "microseconds", "rttime: 1000000": "",
		"nofile: 0": "", "nproc: 0": "", "nice: 0": "", "rtprio: 0": "", "sigpending: 0": "", "msgqueue: 0": "", "locks: 0": "", "rss: 0": "",
	} {
		found := messagesOf(t, "limit-too-low", plainUser+"rlimits: {"+limit+"}\n")
		if want == "" && found == nil {
			continue
		}
		if len(found) != 1 || want == "" || !strings.Contains(found[0], want) {
			t.Errorf("%s: %q, want %q", limit, found, want)
		}
	}
	for _, l := range minimumLimits {
		found := messagesOf(t, "limit-too-low", plainUser+fmt.Sprintf("rlimits: {%s: %d}\n", l.name, l.least))
		if found != nil {
			t.Errorf("%s: %q", l.name, found)
		}
	}
}
