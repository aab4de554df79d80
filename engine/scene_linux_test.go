package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/command"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// programs are the tests of this package, which remove the programs that they built.
type programs struct{ *testing.M }

func (p programs) Run() int { return command.Main(p.M) }

func TestMain(m *testing.M) { reexec.Main(programs{m}, ChildRoles) }

// scene is a caller, a profile and a directory of programs that the target executes.
type scene struct {
	*testing.T
	name    string
	caller  string // settings of internal/test/runas
	profile string // without its version

	// mark changes the target's own file.
	mark func(path string) error

	// jail makes the directory of the programs the target's root directory.
	jail bool

	dir   string
	file  string      // the profile
	first credsReport // of the target that does nothing
}

// prepare makes the programs and the profile.
func (s *scene) prepare(t *testing.T) {
	s.T = t
	s.dir = t.TempDir()
	for dir := s.dir; !command.EveryoneSearches(s.dir); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(s.dir, &fs); err != nil || fs.Flags&unix.ST_NOSUID != 0 {
		requires.Skip(t, "a temporary directory without nosuid")
	}
	s.copy("caprun/internal/test/creds", "special", nil)
	for _, name := range []string{"creds", "runas"} {
		s.copy("caprun/internal/test/"+name, name, nil)
		s.copy("caprun/internal/test/"+name, "target-"+name, s.mark)
	}
	text := "version: 1\n" + s.profile
	if s.jail {
		text += "\nchroot: " + s.dir
	}
	s.file = command.ProfileFile(t, text)
}

// copy copies a program of this module, and changes the copy.
func (s *scene) copy(pkg, name string, change func(path string) error) {
	s.Helper()
	to := filepath.Join(s.dir, name)
	text, err := os.ReadFile(command.Program(s, pkg))
	if err == nil {
		// A child that another test starts must not have it open for writing.
		syscall.ForkLock.RLock()
		err = errors.Join(os.WriteFile(to, text, 0o755), os.Chmod(to, 0o755))
		syscall.ForkLock.RUnlock()
	}
	if err == nil && change != nil {
		err = change(to)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// program changes a copy of the program creds, and returns its path for the target.
func (s *scene) program(change func(path string) error) string {
	s.Helper()
	file := filepath.Join(s.dir, "special")
	err := errors.Join(os.Chown(file, 0, 0), os.Chmod(file, 0o755))
	if removed := unix.Removexattr(file, "security.capability"); removed != unix.ENODATA {
		err = errors.Join(err, removed)
	}
	if err := errors.Join(err, change(file)); err != nil {
		s.Fatal(err)
	}
	return s.path("special")
}

// path returns the path of a program as the target sees it.
func (s *scene) path(name string) string {
	if s.jail {
		return "/" + name
	}
	return filepath.Join(s.dir, name)
}

// setID returns a change that sets the owner, group and mode bits of a file.
func setID(uid, gid int, mode uint32) func(string) error {
	return func(path string) error {
		// A change of the owner removes the bits.
		return errors.Join(os.Chown(path, uid, gid), unix.Chmod(path, mode|0o755))
	}
}

// fileCaps returns a change that sets file capabilities, in version 2 of the attribute:
// capabilities(7).
func fileCaps(permitted, inheritable cred.Caps, effective bool) func(string) error {
	return func(path string) error {
		magic := uint32(0x02000000)
		if effective {
			magic |= 1
		}
		data := binary.LittleEndian.AppendUint32(nil, magic)
		for n := range 2 {
			data = binary.LittleEndian.AppendUint32(data, uint32(permitted>>(32*n)))
			data = binary.LittleEndian.AppendUint32(data, uint32(inheritable>>(32*n)))
		}
		return unix.Setxattr(path, "security.capability", data, 0)
	}
}

// run runs caprun as the caller.
func (s *scene) run(args ...string) (stdout, stderr string, status int) {
	s.Helper()
	args = append(append(strings.Fields(s.caller), "--", command.Caprun(s)), args...)
	return command.Run(s, exec.Command(command.Program(s, "caprun/internal/test/runas"), args...))
}

// reachable returns the sentences that explain prints for the caller.
func (s *scene) reachable() []string {
	s.Helper()
	out, errs, status := s.run("explain", "-as", "current", "-format", "json", "-target", s.path("target-creds"), s.file)
	var plan struct{ Reachable []string }
	if err := json.NewDecoder(bytes.NewBufferString(out)).Decode(&plan); err != nil || status != 0 {
		s.Fatalf("status %d, %v\n%s", status, err, errs)
	}
	return plan.Reachable
}

// credsReport is the output of the program creds: fields and values.
type credsReport map[string]string

// launch starts the target and returns the last report.
func (s *scene) launch(args ...string) credsReport {
	s.Helper()
	out, errs, status := s.run(append([]string{"-profile", s.file, "--"}, args...)...)
	if status >= 99 {
		return credsReport{"failed": fmt.Sprintf("status %d: %s", status, errs)}
	}
	if at := strings.LastIndex(out, "\nexec: "); at >= 0 {
		out = out[at+1:]
	}
	report := credsReport{}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		report[key] = value
	}
	return report
}

// start returns the report of a target that changes nothing.
func (s *scene) start() credsReport {
	s.Helper()
	if s.first == nil {
		s.first = s.launch(s.path("target-creds"))
	}
	return s.first
}

// runs returns the report of a program that the target executes.
func (s *scene) runs(program string) credsReport {
	return s.launch(s.path("target-creds"), "-exec", program)
}

// does returns the report of an ordinary program that the target executes after it changed
// its own state. settings are those of internal/test/runas; first they make the permitted
// capabilities effective.
func (s *scene) does(settings ...string) credsReport {
	able := fmt.Sprintf("caps=%#x", uint64(s.start().caps("permitted")))
	args := append([]string{s.path("target-runas"), able}, settings...)
	return s.launch(append(args, "--", s.path("creds"))...)
}

// String returns the credentials of the report, with the names of capabilities.
func (r credsReport) String() string {
	if r["failed"] != "" {
		return r["failed"]
	}
	var parts []string
	for _, field := range []string{"uids", "gids", "groups"} {
		parts = append(parts, field+" "+r[field])
	}
	for _, field := range []string{"inheritable", "permitted", "effective", "bounding", "ambient"} {
		parts = append(parts, field+" "+r.caps(field).String())
	}
	parts = append(parts, "securebits "+SecbitsText(cred.Securebits(r.caps("securebits"))), "no_new_privs "+r["no_new_privs"])
	return strings.Join(parts, "; ")
}

// caps returns a field of capabilities or securebits.
func (r credsReport) caps(name string) cred.Caps {
	n, _ := strconv.ParseUint(r[name], 16, 64)
	return cred.Caps(n)
}

// ids returns a field of numbers.
func (r credsReport) ids(name string) (list []int) {
	for _, text := range strings.Fields(r[name]) {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1
		}
		list = append(list, n)
	}
	return append(list, -1, -1, -1, -1)
}
