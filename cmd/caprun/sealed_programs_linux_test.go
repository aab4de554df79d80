package main

import (
	"os"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// sealedProgram is a program that a launcher is told to start.
type sealedProgram struct {
	name    string
	profile string   // a key of programProfiles
	caller  []string // settings of internal/test/runas
	target  []string

	status  int
	message string // part of the message of the sealed launcher

	// full is the status of caprun; 0 for the same one, -1 for any.
	full int
}

var programProfiles = map[string]string{
	"user":  "version: 1\nuid: 3301\ngid: 3302\ncaps: cap_net_bind_service=eip\n",
	"none":  "version: 1\nuid: 3301\ngid: 3302\ncaps: '='\n",
	"nnp":   "version: 1\nuid: 3301\ngid: 3302\ncaps: cap_net_bind_service=eip\nno_new_privs: true\n",
	"plain": "version: 1\nno_new_privs: true\n",
	"empty": "version: 1\n",
	"named": "version: 1\nname: web\nno_new_privs: true\ncommand: [/usr/bin/no_such_server]\n",
}

var sealedPrograms = []sealedProgram{
	{name: "set-user-ID", profile: "user", target: []string{"$DIR/suid"}, status: 126, message: "it is set-user-ID or set-group-ID", full: 125},
	{name: "set-user-ID, no_new_privs", profile: "nnp", target: []string{"$DIR/suid"}},
	{name: "set-user-ID, nosuid", profile: "user", caller: []string{"mounts", "nosuid=$DIR"}, target: []string{"$DIR/suid"}},
	{name: "set-user-ID, nothing declared", profile: "empty", target: []string{"$DIR/suid"}},
	{name: "set-group-ID", profile: "user", target: []string{"$DIR/sgid"}, status: 126, message: "it is set-user-ID or set-group-ID", full: 125},
	{name: "set-user-ID of the declared user", profile: "user", target: []string{"$DIR/own"}},
	{name: "file capabilities", profile: "user", target: []string{"$DIR/capable"}, status: 126, message: "it has file capabilities", full: 125},
	{name: "file capabilities, no_new_privs", profile: "nnp", target: []string{"$DIR/capable"}, status: 126, message: "it has file capabilities", full: 125},
	{name: "file capabilities, nosuid", profile: "user", caller: []string{"mounts", "nosuid=$DIR"}, target: []string{"$DIR/capable"}},
	{name: "interpreter with file capabilities", profile: "user", target: []string{"$DIR/capable-script"}, status: 126, message: "it has file capabilities", full: 125},
	{name: "script with file capabilities", profile: "user", target: []string{"$DIR/marked-script"}},

	{name: "executable, not readable", profile: "user", target: []string{"$DIR/unreadable"}},
	{name: "executable, not readable, in PATH", profile: "user", caller: []string{"env=PATH=$DIR"}, target: []string{"unreadable"}, status: 126, message: "cannot be read", full: -1},
	{name: "script, not readable", profile: "user", target: []string{"$DIR/unreadable-script"}, status: 126, message: "cannot be read", full: -1},
	{name: "five nested scripts", profile: "user", target: []string{"$DIR/s5", "a", "b"}},
	{name: "six nested scripts", profile: "user", target: []string{"$DIR/s6"}, status: 126, message: "too many levels of symbolic links (ELOOP)"},
	{name: "interpreter missing", profile: "user", target: []string{"$DIR/lost"}, status: 126, message: "its interpreter does not exist"},
	{name: "no interpreter", profile: "user", target: []string{"$DIR/bare"}, status: 126, message: "exec format error (ENOEXEC)"},
	{name: "text", profile: "user", target: []string{"$DIR/text"}, status: 126, message: "exec format error (ENOEXEC)"},
	{name: "FIFO", profile: "user", target: []string{"$DIR/fifo"}, status: 126, message: "permission denied (EACCES)"},
	{name: "interpreter is a FIFO", profile: "user", target: []string{"$DIR/fifo-script"}, status: 126, message: "permission denied (EACCES)"},
	{name: "device", profile: "user", target: []string{"/dev/zero"}, status: 126, message: "permission denied (EACCES)"},
	{name: "terminal", profile: "user", target: []string{"/dev/tty"}, status: 126, message: "permission denied (EACCES)"},
	{name: "directory", profile: "user", target: []string{"$DIR"}, status: 126, message: "permission denied (EACCES)"},
	{name: "missing", profile: "user", target: []string{"$DIR/nowhere"}, status: 127, message: "no such file or directory (ENOENT)"},
	{name: "below a file", profile: "user", target: []string{"$DIR/text/x"}, status: 127, message: "not a directory (ENOTDIR)"},
	{name: "link to itself", profile: "user", target: []string{"$DIR/loop"}, status: 126, message: "too many levels of symbolic links (ELOOP)"},
	{name: "long name", profile: "user", target: []string{"/" + strings.Repeat("a", 300)}, status: 126, message: "(ENAMETOOLONG)"},
	{name: "long path", profile: "user", target: []string{strings.Repeat("/a", 2100)}, status: 126},
	{name: "empty name", profile: "user", target: []string{""}, status: 127, message: "no such file or directory (ENOENT)"},
	{name: "no command", profile: "user", status: 125, message: "start: no program to start"},
	{name: "command of the profile", profile: "named", status: 127, message: "web: exec /usr/bin/no_such_server: no such file or directory (ENOENT)\n"},
	{name: "control characters", profile: "plain", target: []string{"/no\x1b[31m\n\x7f\u202e/x"}, status: 127, message: "caprun: exec /no?[31m??"},

	{name: "in the second directory of PATH", profile: "user", caller: []string{"env=PATH=$DIR/closed:$DIR"}, target: []string{"creds"}},
	{name: "only in a directory that cannot be searched", profile: "user", caller: []string{"env=PATH=$DIR/closed"}, target: []string{"creds"}, status: 126, message: "permission denied (EACCES)"},
	{name: "not in PATH", profile: "user", caller: []string{"env=PATH=/nowhere:$DIR/text"}, target: []string{"creds"}, status: 127, message: "not found in PATH"},
	{name: "neither readable nor executable, first in PATH", profile: "user", caller: []string{"env=PATH=$DIR/private:$DIR"}, target: []string{"creds"}},
	{name: "slashes in PATH", profile: "user", caller: []string{"env=PATH=/nowhere//:$DIR//"}, target: []string{"creds"}},
	{name: "empty entry of PATH", profile: "user", caller: []string{"env=PATH=/nowhere::$DIR"}, target: []string{"creds"}, status: 127, message: "PATH has a relative or empty entry"},
	{name: "relative entry of PATH", profile: "user", caller: []string{"env=PATH=.:$DIR"}, target: []string{"creds"}, status: 127, message: "PATH has a relative or empty entry"},
	{name: "colon at the end of PATH", profile: "user", caller: []string{"env=PATH=/nowhere:"}, target: []string{"creds"}, status: 127, message: "PATH has a relative or empty entry"},
	{name: "empty PATH", profile: "user", caller: []string{"env=PATH="}, target: []string{"creds"}, status: 127, message: "PATH has a relative or empty entry"},
	{name: "no PATH", profile: "user", caller: []string{"noenv"}, target: []string{"creds"}, status: 127, message: "PATH is not set"},
	{name: "long entry of PATH", profile: "user", caller: []string{"env=PATH=/" + strings.Repeat("a", 5000)}, target: []string{"creds"}, status: 127, message: "", full: -1},
	{name: "FIFO first in PATH", profile: "user", caller: []string{"env=PATH=$DIR/pipes:$DIR"}, target: []string{"creds"}},

	{name: "one megabyte of variables", profile: "plain", caller: []string{"many=1000"}, target: []string{"$DIR/creds"}},
	{name: "long argument", profile: "plain", target: []string{"$DIR/creds", strings.Repeat("a", 120_000)}},
	{name: "arguments beyond the stack limit", profile: "plain", caller: []string{"many=120", "limit=3:131072:131072"}, target: []string{"$DIR/creds"}, status: -1},
}

// TestSealedPrograms starts programs of all kinds with caprun and with a sealed launcher.
// Both have the same status, or the table says why not.
func TestSealedPrograms(t *testing.T) {
	requires.Root(t)
	s := newSealedRunner(t)
	s.programs(t)
	type pair struct{ profile, launcher string }
	sealed := map[string]pair{}
	for name, text := range programProfiles {
		profile, launcher, err := s.seal(text)
		if err != nil {
			t.Fatal(err)
		}
		sealed[name] = pair{profile, launcher}
	}
	for _, c := range sealedPrograms {
		t.Run(c.name, func(t *testing.T) {
			files := sealed[c.profile]
			out, status := s.run(append(append(c.caller, "--", files.launcher, "--"), c.target...)...)
			full, fullStatus := s.run(append(append(c.caller, "--", "$BIN/caprun", "-profile", files.profile, "--"), c.target...)...)
			switch {
			case c.status == -1:
				// The kernel does not execute even the launcher.
				if out.text != "" {
					t.Errorf("the target runs: %s", out.text)
				}
				return
			case status != c.status || !strings.Contains(out.messages, c.message):
				t.Errorf("status %d, want %d; message %q, want %q", status, c.status, out.messages, c.message)
			case status != 0 && (out.text != "" || strings.Count(out.messages, "\n") != 1 || !strings.HasSuffix(out.messages, "\n")):
				t.Errorf("output %q, message %q", out.text, out.messages)
			}
			want := c.full
			if want == 0 {
				want = c.status
			}
			if want != -1 && fullStatus != want {
				t.Errorf("status %d of caprun, want %d: %s", fullStatus, want, full.messages)
			}
			if status == 0 && fullStatus == 0 {
				if outcome, fault := s.compare(sealedPlace{caller: c.caller}, files.profile, files.launcher, c.target...); fault != "" {
					t.Errorf("%s: %s", outcome, fault)
				}
			}
		})
	}
}

// programs creates the programs of the table.
func (s *sealedRunner) programs(t *testing.T) {
	t.Helper()
	umask := unix.Umask(0o022)
	defer unix.Umask(umask)
	files := map[string]string{
		"text": "hello\n", "bare": "#!\n", "lost": "#!/no/such/interpreter\n",
		"capable-script": "#!$DIR/capable\n", "marked-script": "#!$DIR/creds -v\n", "fifo-script": "#!$DIR/fifo\n", "unreadable-script": "#!$DIR/creds\n",
		"s1": "#!$DIR/creds\n", "s2": "#! $DIR/s1 x y \n", "s3": "#!\t$DIR/s2", "s4": "#!$DIR/s3\n", "s5": "#!$DIR/s4\n", "s6": "#!$DIR/s5\n",
	}
	settings := []string{}
	for name, text := range files {
		path := s.dir + "/" + name
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "$DIR", s.dir)), 0o644); err != nil {
			t.Fatal(err)
		}
		settings = append(settings, "mode=755:"+path)
	}
	settings = append(settings,
		"mode=711:$DIR/unreadable-script", "filecaps=0x2000,0,e:$DIR/marked-script",
		"copy=$BIN/creds:$DIR/suid", "owner=3305.3302:$DIR/suid", "mode=4755:$DIR/suid",
		"copy=$BIN/creds:$DIR/sgid", "owner=3301.3306:$DIR/sgid", "mode=2755:$DIR/sgid",
		"copy=$BIN/creds:$DIR/own", "owner=3301.3302:$DIR/own", "mode=6755:$DIR/own",
		"copy=$BIN/creds:$DIR/capable", "filecaps=0x2000,0,e:$DIR/capable",
		"copy=$BIN/creds:$DIR/unreadable", "mode=711:$DIR/unreadable",
		"mkdir=$DIR/closed", "copy=$BIN/creds:$DIR/closed/creds", "mode=700:$DIR/closed",
		"mkdir=$DIR/private", "copy=$BIN/creds:$DIR/private/creds", "mode=700:$DIR/private/creds",
		"mkdir=$DIR/pipes", "fifo=$DIR/pipes/creds", "mode=755:$DIR/pipes/creds",
		"fifo=$DIR/fifo", "mode=755:$DIR/fifo", "symlink=loop:$DIR/loop")
	if out, status := s.run(settings...); status != 0 {
		requires.Skip(t, out.messages)
	}
}
