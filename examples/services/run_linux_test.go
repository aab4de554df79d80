package services

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"caprun/internal/test/reexec"
)

// patience is the limit for each wait: far more than it takes on an idle machine.
const patience = 30 * time.Second

// directory is where the files of the example are in the sandbox.
const directory = "/root/example"

// A run is one run of a service in a sandbox.
type run struct {
	service
	without, caprun string
	report          report
	log             log
	main            *exec.Cmd
	exited          chan struct{} // closed when main has been waited for
}

// serviceRole runs a service as process 1 of its namespaces, and prints the report.
func serviceRole() {
	n := slices.IndexFunc(services, func(s service) bool { return s.name == os.Args[1] })
	r := &run{service: services[n], without: os.Args[2], caprun: os.Args[3]}
	if err := r.all(); err != nil {
		r.report.Failed = err.Error()
	}
	r.report.Log = r.log.String()
	if err := json.NewEncoder(os.Stdout).Encode(r.report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (r *run) all() error {
	if _, ok := r.service.without["cap_sys_time"]; ok {
		defer keepClock()()
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"enter the sandbox", r.enter}, {"install the profile", r.install}, {"prepare", r.prepare},
		{"check", r.check}, {"start", r.start}, {"client", r.use}, {"stop", r.end},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// enter enters the sandbox, with caprun and the files of the example.
func (r *run) enter() error {
	syscall.Umask(0o022)
	copies := map[string]string{"/usr/bin/caprun": r.caprun}
	files, err := os.ReadDir(".")
	if err != nil {
		return err
	}
	for _, f := range files {
		if copies[filepath.Join(directory, f.Name())], err = filepath.Abs(f.Name()); err != nil {
			return err
		}
	}
	if err := enterSandbox(copies); err != nil {
		return err
	}
	os.Clearenv()
	for name, value := range map[string]string{"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"} {
		os.Setenv(name, value)
	}
	return os.Chdir(directory)
}

// install puts the profile where caprun finds it by its name.
func (r *run) install() error {
	text, err := os.ReadFile(r.name + ".yaml")
	if err != nil {
		return err
	}
	if r.report.Capabilities, text, err = withoutCapability(text, r.without); err != nil {
		return err
	}
	if err := os.MkdirAll("/etc/caprun", 0o755); err != nil {
		return err
	}
	return os.WriteFile(r.profile(), text, 0o644)
}

func (r *run) profile() string { return "/etc/caprun/" + r.name + ".yaml" }

var capsLine = regexp.MustCompile(`(?m)^caps: (cap_\S*)(=\S+)$`)

// withoutCapability returns the capabilities of a profile, and the profile without one
// of them.
func withoutCapability(profile []byte, without string) (names []string, less []byte, err error) {
	m := capsLine.FindSubmatch(profile)
	if m == nil {
		return nil, profile, nil
	}
	names = strings.Split(string(m[1]), ",")
	slices.Sort(names)
	if without == "" {
		return names, profile, nil
	}
	left := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == without })
	if len(left) == len(names) {
		return nil, nil, fmt.Errorf("the profile does not have %s", without)
	}
	line := `caps: "="`
	if len(left) > 0 {
		line = "caps: " + strings.Join(left, ",") + string(m[2])
	}
	return names, bytes.Replace(profile, m[0], []byte(line), 1), nil
}

func (r *run) prepare() error {
	if _, err := os.Stat("prepare.sh"); err != nil {
		return nil
	}
	out, err := exec.Command("/bin/sh", "prepare.sh").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// check runs caprun check, which must not have findings except suppressed ones.
func (r *run) check() error {
	out, err := exec.Command("caprun", "check", "-host", "-format", "json", r.profile()).Output()
	var checked struct {
		Findings []struct {
			Rule, Severity, Message string
			Suppressed              *struct{ Reason string }
		}
	}
	if jsonErr := json.Unmarshal(out, &checked); jsonErr != nil {
		return fmt.Errorf("%w: %s", errors.Join(err, jsonErr), out)
	}
	err = nil
	for _, f := range checked.Findings {
		if f.Suppressed == nil {
			err = errors.Join(err, fmt.Errorf("%s: %s [%s]", f.Severity, f.Message, f.Rule))
			continue
		}
		r.report.Suppressed = append(r.report.Suppressed, f.Rule)
	}
	if r.without != "" {
		return nil // the launch reports it
	}
	return err
}

// start executes the command of the unit, and waits until the service is ready.
func (r *run) start() error {
	cmd := reexec.Command("unit")
	cmd.Args = append(cmd.Args, r.name)
	cmd.Stdout, cmd.Stderr = &r.log, &r.log
	if err := cmd.Start(); err != nil {
		return err
	}
	r.main, r.exited = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(r.exited)
	}()
	return r.until("ready: "+r.ready, r.isReady)
}

// until waits until a condition is true. It fails if the service exits.
func (r *run) until(what string, condition func() bool) error {
	deadline := time.Now().Add(patience)
	for !condition() {
		select {
		case <-r.exited:
			return fmt.Errorf("not %s: %v", what, r.main.ProcessState)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not %s after %v", what, patience)
		}
	}
	return nil
}

func (r *run) isReady() bool {
	protocol, port, _ := strings.Cut(r.ready, " ")
	if protocol == "tcp" || protocol == "udp" {
		return isOpen(protocol, port)
	}
	return strings.Contains(r.log.String(), r.ready)
}

// isOpen reports whether a port of the network namespace is open.
func isOpen(protocol, port string) bool {
	text, err := os.ReadFile("/proc/net/" + protocol)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return false
	}
	const listening, unconnected = "0A", "07" // states of TCP and of UDP
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) && (f[3] == listening || f[3] == unconnected) {
			return true
		}
	}
	return false
}

// use starts the client, examines the processes while it is connected, and ends it. A
// client prints "works", waits for the end of its standard input, and exits with 0.
func (r *run) use() error {
	if _, err := os.Stat("client.sh"); err != nil {
		return r.examine()
	}
	cmd := exec.Command("/bin/sh", "client.sh")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(patience, func() {
		_ = cmd.Process.Kill()
		stdout.Close() // a child of the client may have it, too
	})
	defer timer.Stop()
	works, printed := false, ""
	for lines := bufio.NewScanner(stdout); !works && lines.Scan(); {
		printed += lines.Text() + "\n"
		works = lines.Text() == "works"
	}
	if works {
		err = r.examine()
	}
	stdin.Close()
	_, _ = io.Copy(io.Discard, stdout)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s%s", err, printed, stderr.String())
	}
	if !works {
		return fmt.Errorf("it printed %q%s", printed, stderr.String())
	}
	return err
}

// end stops the service by its signal. No process may remain.
func (r *run) end() error {
	if err := r.main.Process.Signal(r.stop); err != nil {
		return err
	}
	select {
	case <-r.exited:
	case <-time.After(patience):
		return fmt.Errorf("it runs %v after %v", patience, r.stop)
	}
	if !r.main.ProcessState.Success() {
		return fmt.Errorf("after %v: %v", r.stop, r.main.ProcessState)
	}
	deadline := time.Now().Add(patience)
	for {
		left := others()
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes that remain: %v", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A log keeps what the service prints.
type log struct {
	sync.Mutex
	text []byte
}

func (l *log) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *log) String() string {
	l.Lock()
	defer l.Unlock()
	return string(l.text)
}
