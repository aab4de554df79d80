package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"caprun/engine/review"
	"caprun/internal/profiletext"
	"caprun/internal/sanitize"
	"caprun/internal/source"
	"caprun/platform"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/process"
	"caprun/policy"
)

// importOptions are the flags of import.
type importOptions struct {
	kind    platform.Kind // Profile for the one that the file has
	engine  containers.Engine
	pid     int
	process string
}

// importForm is the form that prints the profile of a process that another platform starts.
func importForm() *form {
	var o importOptions
	pid := &formFlag{name: "pid", metavar: "PID", about: "process that runs", value: processID(&o.pid)}
	return &form{
		name: "import", about: "print the profile that a file of another platform amounts to",
		help: "FILE is a systemd unit, a Kubernetes manifest, a compose file, an OCI config.json, or - for standard input. " +
			"caprun reads the drop-ins and the socket beside a unit; further FILEs can be drop-ins (.conf) and sockets (.socket) of the unit before them. " +
			"Standard error has what the platform ignores silently, and what a profile cannot express.",
		flags: []*formFlag{
			{name: "kind", metavar: "KIND", about: "format of the files", value: oneOf(&o.kind, "kind", "auto", importKinds()...),
				more: "setpriv and docker are command lines: of setpriv, capsh, docker run or podman run."},
			{name: "engine", metavar: "ENGINE", about: "engine that starts the containers", value: oneOf(&o.engine, "engine", "docker", engines()...),
				more: "The engines have different default capabilities. For Kubernetes, docker stands for containerd."},
			processFlag(&o.process),
			pid,
		},
		operands: []operand{{metavar: "FILE", takes: aFile, many: true, about: "file of another platform"}},
		variant:  &variant{flag: "pid"},
		status:   "Exit status: 0 success, 1 the profile does not say everything, 2 usage error or unreadable file.",
		run: func(c *Command, files []string) int {
			if pid.given {
				return c.importProcess(o.pid)
			}
			return c.importFiles(o, files)
		},
	}
}

// importKinds returns the words of -kind.
func importKinds() []choice[platform.Kind] {
	words := []choice[platform.Kind]{{"auto", platform.Profile}}
	for _, k := range platform.Kinds() {
		words = append(words, choice[platform.Kind]{k.String(), k})
	}
	return append(words, choice[platform.Kind]{"docker", platform.CommandLine})
}

// engines returns the words of -engine.
func engines() []choice[containers.Engine] {
	var words []choice[containers.Engine]
	for _, name := range containers.Names() {
		e, _ := containers.Find(name)
		words = append(words, choice[containers.Engine]{name, e})
	}
	return words
}

// importFiles prints the profiles of the processes that files declare.
func (c *Command) importFiles(o importOptions, files []string) int {
	var inputs []*platform.Input
	for _, arg := range files {
		in, err := c.readInput(o, arg)
		switch last := len(inputs) - 1; {
		case err != nil:
			return c.fail(err)
		case isCompanion(arg) && (last < 0 || inputs[last].Kind != platform.Systemd):
			return c.fail(fmt.Errorf("%s: no unit before it; pass the service unit first", in.Name))
		case isCompanion(arg) && isOfSocket(arg):
			inputs[last].Sockets = append(inputs[last].Sockets, in.File)
		case isCompanion(arg):
			inputs[last].DropIns = append(inputs[last].DropIns, in.File)
		case in.Kind == platform.Profile:
			return c.fail(notPlatform(in))
		default:
			inputs = append(inputs, in)
		}
	}
	var list []*reviewed
	for _, in := range inputs {
		of, status := c.readPlatform(in.Name, in, exitError)
		switch {
		case of == nil && status == exitOK:
			_, findings := in.Documents()
			return c.reportPlatform(in, findings, exitError)
		case of == nil:
			return status
		}
		if o.process == "" {
			of = slices.DeleteFunc(of, func(r *reviewed) bool { return !r.main })
		}
		list = append(list, of...)
	}
	if o.process != "" {
		r := findProcess(list, o.process)
		if r == nil {
			return c.fail(noProcess(inputs[0].Name, o.process, list))
		}
		list = []*reviewed{r}
	}
	return c.printImported(list)
}

// isCompanion reports whether an argument is a drop-in or a socket of the unit before it.
func isCompanion(arg string) bool {
	return filepath.Ext(arg) == ".conf" || filepath.Ext(arg) == ".socket"
}

// isOfSocket reports whether a companion is a socket or a drop-in of one.
func isOfSocket(arg string) bool {
	return filepath.Ext(arg) == ".socket" || strings.HasSuffix(filepath.Dir(filepath.Clean(arg)), "socket.d")
}

// notPlatform is the error for a file whose kind is not known.
func notPlatform(in *platform.Input) error {
	if p, _ := policy.Read(in.Name, in.Text); p != nil {
		return fmt.Errorf("%s: already a profile", in.Name)
	}
	return fmt.Errorf("%s: unknown format; for a command line of setpriv, capsh, docker run or podman run, pass -kind setpriv", in.Name)
}

// readInput reads a file. The kind is Profile if the file does not show it.
func (c *Command) readInput(o importOptions, arg string) (*platform.Input, error) {
	src, err := source.FindFile(arg, c.Stdin)
	if err != nil {
		return nil, err
	}
	read := src.Review
	if isCompanion(arg) {
		read = src.File
	}
	content, err := read()
	name := sanitize.Line(src.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	in := content.Platform
	if in == nil {
		in = &platform.Input{File: declared.File{Text: content.Text}}
	}
	in.Name, in.Engine = name, o.engine
	if o.kind != platform.Profile {
		in.Kind = o.kind
	}
	return in, nil
}

// importProcess prints the profile of a process that runs.
func (c *Command) importProcess(pid int) int {
	d, err := process.Read(pid)
	if err != nil {
		return c.fail(err)
	}
	document, err := d.Document()
	if err != nil {
		return c.fail(err)
	}
	return c.printImported([]*reviewed{{document: document, main: true, input: &platform.Input{File: declared.File{Name: d.At.File}}}})
}

// printImported prints the profiles as YAML documents, and what they do not say to standard
// error.
func (c *Command) printImported(list []*reviewed) int {
	var b strings.Builder
	status := exitOK
	for n, r := range list {
		if n > 0 {
			b.WriteString("---\n")
		}
		if len(list) > 1 {
			b.WriteString("# " + profiletext.Inert(r.document.At.File+": "+r.document.Name, 160) + "\n")
		}
		b.Write(r.document.Text)
	}
	if status := c.print(b.String()); status != exitOK {
		return status
	}
	var reports []review.Report
	for n := 0; n < len(list); {
		end := n
		for end < len(list) && list[end].input == list[n].input {
			end++
		}
		if notes := importNotes(list[n:end]); len(notes) > 0 {
			status = exitFindings
			reports = append(reports, list[n].input.Reports(notes)...)
		}
		n = end
	}
	if err := review.Details(c.Stderr, slices.Values(reports), false); err != nil {
		return c.fail(err)
	}
	return status
}

// importNotes returns the findings about a file, and what a profile cannot express of its
// processes. The name of a process begins what is about it alone.
func importNotes(list []*reviewed) []policy.Diagnostic {
	notes := slices.Clone(list[0].findings)
	count := map[policy.Diagnostic]int{}
	for _, r := range list {
		for _, d := range r.ownNotes() {
			count[d]++
		}
	}
	for _, r := range list {
		for _, d := range r.ownNotes() {
			switch n := count[d]; {
			case n == 0: // printed
			case n == len(list):
				notes = append(notes, d)
				count[d] = 0
			default:
				d.Message = r.document.Name + ": " + d.Message
				notes = append(notes, d)
			}
		}
	}
	policy.Sort(notes)
	return notes
}
