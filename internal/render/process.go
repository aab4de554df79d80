package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/sanitize"
)

// Process is the JSON form of the credentials of a process.
type Process struct {
	Version       int            `json:"version"`
	PID           int            `json:"pid"`
	Name          string         `json:"name"`
	UserNamespace string         `json:"user_namespace"` // compared with the caller's: same, other or unknown
	States        []processState `json:"states"`

	own bool
}

// processState is the state of one or more threads.
type processState struct {
	Threads       []int    `json:"threads"`
	RootDirectory string   `json:"root_directory"` // compared with the caller's: same, other or unknown
	Mode          *string  `json:"mode"`           // null if unknown
	Credentials   jsonCred `json:"credentials"`

	cred cred.Cred
}

// OwnProcess describes caprun itself.
func OwnProcess(pid int, own cred.Cred, mode cap.Mode) *Process {
	name, same := mode.String(), machine.NamespaceSame.String()
	state := processState{Threads: []int{pid}, RootDirectory: same, Mode: &name, Credentials: newJSONCred(own), cred: own}
	return &Process{Version: FormatVersion, PID: pid, Name: "caprun", UserNamespace: same, States: []processState{state}, own: true}
}

// OtherProcess describes another process, for a caller whose root directory is root.
func OtherProcess(p *machine.Process, root machine.FileID) *Process {
	s := &Process{Version: FormatVersion, PID: p.PID, Name: p.Name, UserNamespace: p.UserNS.String()}
	for _, state := range p.States {
		where := machine.NamespaceOther
		switch {
		case state.RootErr != nil:
			where = machine.NamespaceUnknown
		case state.Root == root:
			where = machine.NamespaceSame
		}
		s.States = append(s.States, processState{Threads: state.Threads, RootDirectory: where.String(), Credentials: processCred(state.Cred), cred: state.Cred})
	}
	return s
}

// Print prints one block for each state, for people.
func (s *Process) Print(w io.Writer, colour bool) error {
	var b strings.Builder
	threads := 0
	for _, state := range s.States {
		threads += len(state.Threads)
	}
	head := fmt.Sprintf("process %d (%s), %s", s.PID, printable(s.Name), count(threads, "thread"))
	if s.own {
		head = "the caller of caprun"
	}
	if colour {
		head = "\x1b[1m" + head + "\x1b[0m"
	}
	fmt.Fprintln(&b, head)
	for _, state := range s.States {
		if len(s.States) > 1 {
			fmt.Fprintln(&b, threadsText(state.Threads))
		}
		state.print(&b, s.UserNamespace)
	}
	_, err := io.WriteString(w, sanitize.Lines(b.String()))
	return err
}

func (s *processState) print(w io.Writer, namespace string) {
	c := s.cred
	securebits, mode := "unknown", "unknown"
	if s.Mode != nil {
		securebits, mode = engine.SecbitsText(c.Securebits), *s.Mode
	}
	for _, row := range [...]struct{ name, text string }{
		{"uid", engine.IDsText(c.UID, c.EUID, c.SUID, c.FSUID)},
		{"gid", engine.IDsText(c.GID, c.EGID, c.SGID, c.FSGID)},
		{"groups", engine.FieldText(c, "Groups")},
		{"effective", c.Effective.String()},
		{"permitted", c.Permitted.String()},
		{"inheritable", c.Inheritable.String()},
		{"ambient", c.Ambient.String()},
		{"bounding", c.Bounding.String()},
		{"securebits", securebits},
		{"mode", mode},
		{"no_new_privs", strconv.FormatBool(c.NoNewPrivs)},
		{"root directory", whose(s.RootDirectory)},
		{"user namespace", whose(namespace)},
	} {
		for n, line := range wrapList(row.text, 62) {
			if n > 0 {
				row.name = ""
			}
			fmt.Fprintf(w, "  %-15s %s\n", row.name, line)
		}
	}
}

// whose describes a directory or namespace that was compared with the caller's.
func whose(place string) string {
	switch place {
	case machine.NamespaceSame.String():
		return "the caller's"
	case machine.NamespaceOther.String():
		return "another"
	}
	return place
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// printable returns the name of a process, quoted if it has other characters than
// printable ASCII.
func printable(name string) string {
	quoted := strconv.QuoteToASCII(name)
	if quoted == `"`+name+`"` {
		return name
	}
	return quoted
}
