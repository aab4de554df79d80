//go:build linux

package platforms

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/command"
	"caprun/internal/test/markdown"
	"caprun/internal/test/requires"
)

// servicePage describes how a service is started under systemd.
const servicePage = "../../../docs/service.md"

// oldFile belongs to the user of the profile before the unit starts.
const oldFile = "/var/lib/web/old"

// prepare creates what the page requires, and oldFile. It runs before the unit.
const prepare = `set -e
install -d -o www-data -g www-data -m 0750 /srv/uploads /var/lib/web
install -o www-data -g www-data /dev/null ` + oldFile + "\n"

// probe finds out what the page says of the running service. To learn where the program can
// write, touch runs in its mount namespace and with its user ID.
const probe = `exec > ` + Output + `/probe
curl --silent --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1/
pid=$(systemctl show -P MainPID web.service)
cat /proc/$pid/comm
caprun verify -pid $pid web > /dev/null; echo verify $?
for dir in /run/web /var/lib/web /var/log/web /srv/uploads /srv/web /etc /tmp; do
	nsenter --target $pid --mount --setuid 33 --setgid 33 touch $dir/file && echo writes $dir
done
tr '\0' '\n' < /proc/$pid/environ | grep DIRECTORY
stat -c '%U owns %n' ` + oldFile + `
systemctl stop web.service
`

// failed waits until the unit has failed. A restart would follow in 100 milliseconds.
const failed = `while ! systemctl --quiet is-failed web.service; do sleep 0.1; done
sleep 0.5
echo $(systemctl show -P Result web.service) $(systemctl show -P ExecMainStatus web.service) \
	$(systemctl show -P NRestarts web.service) > ` + Output + `/probe
`

// TestServicePage starts the unit of the page with systemd, as it is and with the lines about
// directories. It also starts what the page advises against.
func TestServicePage(t *testing.T) {
	requires.Root(t)
	for _, tool := range []string{Manager, "/usr/bin/python3", "curl", "nsenter"} {
		requires.Tool(t, tool)
	}
	unit, profile, directories, commands := servicePageFiles(t)
	start := regexp.MustCompile(`(?m)^ExecStart=.*\n`)
	with := func(lines string) string { return start.ReplaceAllLiteralString(unit, lines) }
	for _, test := range []struct{ name, unit, writes, owner string }{
		{"unit", unit, "/tmp", "www-data"},
		{"directories", with(directories + "ReadWritePaths=/srv/uploads\n"), "/run/web /var/lib/web /var/log/web /srv/uploads /tmp", "www-data"},
		{"without user", with(strings.Replace(directories, "User=www-data\n", "", 1)), "/tmp", "root"},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := bootServicePage(t, test.unit, profile, probe, "web.service")
			want := "hello\npython3\nverify 0\nwrites " + strings.ReplaceAll(test.writes, " ", "\nwrites ") + "\n" +
				test.owner + " owns " + oldFile + "\n"
			if got := run.Files["probe"]; got != want {
				t.Errorf("got\n%s\nwant\n%s\n%s%s", got, want, run.Files["log"], run.Log)
			}
		})
	}
	t.Run("without prefix", func(t *testing.T) {
		run := bootServicePage(t, with(strings.Replace(directories, "ExecStart=!", "ExecStart=", 1)), profile, failed, "web.service")
		if got := run.Files["log"]; !strings.HasPrefix(got, "caprun: ") || !strings.Contains(got, "(caller has: none)") {
			t.Errorf("caprun printed %q\n%s", got, run.Log)
		}
		if got := run.Files["probe"]; got != "exit-code 125 0\n" {
			t.Errorf("result, status and restarts: %q\n%s", got, run.Log)
		}
	})
	t.Run("by a command", func(t *testing.T) {
		run := bootServicePage(t, unit, profile, "exec > "+Output+"/probe\nset -e\n"+commands+"echo end\n")
		if got := run.Files["probe"]; !strings.HasPrefix(got, "hello\n") || !strings.HasSuffix(got, "end\n") {
			t.Errorf("%q\n%s", got, run.Log)
		}
	})
}

// servicePageFiles returns the files of the page, the lines about directories, and the commands
// that start a server.
func servicePageFiles(t *testing.T) (unit, profile, directories, commands string) {
	t.Helper()
	page, err := os.ReadFile(servicePage)
	if err != nil {
		t.Fatal(err)
	}
	installs := regexp.MustCompile(`(?m)^ *apt-get install .*\n`)
	for _, part := range markdown.Split(string(page)) {
		switch {
		case part.Kind == "ini" && strings.HasPrefix(part.Text, "# web.service\n"):
			unit = part.Text
		case part.Kind == "ini" && strings.HasPrefix(part.Text, "User="):
			directories = part.Text
		case part.Kind == "yaml" && strings.HasPrefix(part.Text, "# web.yaml\n"):
			profile = part.Text
		case part.Kind == markdown.Indented && strings.Contains(part.Text, "apt-get install"):
			commands = installs.ReplaceAllString(part.Text, "")
		}
	}
	if unit == "" || profile == "" || directories == "" || commands == "" {
		t.Fatalf("%s: no unit, profile, lines about directories or commands", servicePage)
	}
	return unit, profile, directories, commands
}

// bootServicePage runs the script prepare, the named units, and then another script.
func bootServicePage(t *testing.T, unit, profile, script string, start ...string) Run {
	t.Helper()
	program, err := os.ReadFile(command.Caprun(t))
	if err != nil {
		t.Fatal(err)
	}
	oneshot := func(dependencies, command string) string {
		return "[Unit]\nDefaultDependencies=no\n" + dependencies + "\n[Service]\nType=oneshot\nExecStart=" + command + "\n"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run, err := Boot(ctx, System{
		Units: map[string]string{
			"prepare.service":         oneshot("", "/bin/sh /prepare"),
			"web.service":             unit,
			"web.service.d/test.conf": "[Unit]\nDefaultDependencies=no\nAfter=prepare.service\n[Service]\nStandardError=truncate:" + Output + "/log\n",
			"probe.service":           oneshot("After=prepare.service web.service", "/bin/sh /probe"),
		},
		Files: map[string]File{
			"/usr/bin/caprun":      {program, 0o755},
			"/etc/caprun/web.yaml": {[]byte(profile), 0o644},
			"/srv/web/index.html":  {[]byte("hello\n"), 0o644},
			"/prepare":             {[]byte(prepare), 0o644},
			"/probe":               {[]byte(script), 0o644},
		},
		Start: append([]string{"prepare.service", "probe.service"}, start...),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	return run
}
