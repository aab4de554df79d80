package services

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"caprun/internal/test/reexec"
)

// A report is the result of a run.
type report struct {
	Failed       string    // the step that failed, and why
	Log          string    // what the service printed
	Capabilities []string  // of the profile
	Suppressed   []string  // rules of caprun check whose findings the profile accepts
	Processes    []process // while the client was connected
}

// A process is one of the service, or several that differ in nothing.
type process struct {
	Name, User   string
	Capabilities string // by the sets that contain them
	Verdict      string // of caprun verify
}

// verification is the output of caprun verify, as far as it is used.
type verification struct {
	Matches bool
	Verdict string
	States  []struct {
		Process    map[string]any
		Dimensions []struct{ Name, Verdict string }
	}
}

// examine compares each process of the service with the profile.
func (r *run) examine() error {
	for _, pid := range descendants(r.main.Process.Pid) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return err
		}
		fields := reexec.Status(string(status))
		p := process{Name: fields["Name"], User: strings.Fields(fields["Uid"])[0]}
		if u, err := user.LookupId(p.User); err == nil {
			p.User = u.Username
		}
		out, err := exec.Command("caprun", "verify", "-format", "json", "-pid", strconv.Itoa(pid), r.name).Output()
		var v verification
		if jsonErr := json.Unmarshal(out, &v); jsonErr != nil || err != nil || !v.Matches {
			return fmt.Errorf("verify %s: %v: %s", p.Name, err, out)
		}
		p.Verdict, p.Capabilities = v.summary(), v.capabilities()
		if !slices.Contains(r.report.Processes, p) {
			r.report.Processes = append(r.report.Processes, p)
		}
	}
	return nil
}

// descendants returns a process, its children and theirs.
func descendants(pid int) []int {
	all := []int{pid}
	for n := 0; n < len(all); n++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[n]))
		for _, list := range lists {
			text, _ := os.ReadFile(list)
			for _, child := range strings.Fields(string(text)) {
				if id, err := strconv.Atoi(child); err == nil {
					all = append(all, id)
				}
			}
		}
	}
	return all
}

// others returns the names of the processes in the pid namespace, except this one and
// those that have exited.
func others() []string {
	var names []string
	files, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // It has ended.
		}
		fields := reexec.Status(string(text))
		if fields["Pid"] != "1" && !strings.HasPrefix(fields["State"], "Z") {
			names = append(names, fields["Name"])
		}
	}
	return names
}

// summary returns the verdict, with the dimensions in which a process has less.
func (v verification) summary() string {
	var less []string
	for _, d := range v.States[0].Dimensions {
		if d.Verdict == "less" {
			less = append(less, d.Name)
		}
	}
	if less == nil {
		return v.Verdict
	}
	return v.Verdict + ": " + strings.Join(less, ", ")
}

// sets are the capability sets, with their letters in explain's output.
var sets = []struct{ name, letter string }{
	{"effective", "e"}, {"permitted", "p"}, {"inheritable", "i"}, {"bounding", "b"}, {"ambient", "a"},
}

// capabilities returns the capabilities of a process, after the letters of the sets
// that contain them.
func (v verification) capabilities() string {
	letters := map[string]string{}
	for _, set := range sets {
		names, _ := v.States[0].Process[set.name].([]any)
		for _, name := range names {
			letters[name.(string)] += set.letter
		}
	}
	byLetters := map[string][]string{}
	for name, in := range letters {
		byLetters[in] = append(byLetters[in], "`"+name+"`")
	}
	var groups []string
	for in, names := range byLetters {
		slices.Sort(names)
		groups = append(groups, in+": "+strings.Join(names, ", "))
	}
	if groups == nil {
		return "none"
	}
	slices.Sort(groups)
	return strings.Join(groups, "; ")
}

// rows returns the lines of the service in the table of the page.
func (r report) rows(name string) []string {
	suppressed := "none"
	if len(r.Suppressed) > 0 {
		suppressed = "`" + strings.Join(r.Suppressed, "`, `") + "`"
	}
	var rows []string
	for _, p := range r.Processes {
		rows = append(rows, fmt.Sprintf("| [%s](#%s) | %s | %s | %s | %s | %s |\n", name, name, p.Name, p.User, p.Capabilities, suppressed, p.Verdict))
	}
	return rows
}
