package platform

import (
	"fmt"

	"caprun/platform/cmdline"
	"caprun/platform/compose"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/kubernetes"
	"caprun/platform/oci"
	"caprun/platform/systemd"
	"caprun/policy"
)

// An Input is a file that declares processes, and what is read with it.
type Input struct {
	Kind Kind // not Profile
	declared.File

	// DropIns and Sockets are the drop-ins of a unit, in the order in which systemd
	// reads them, and the socket units that start it.
	DropIns, Sockets []declared.File

	// LaunchedProfile returns the text of the profile with which a process that is caprun
	// starts the program, for a value of -profile, or why a launch cannot read it; nil
	// without an error if it is not known. Check uses it to find a launch that caprun
	// refuses. It is optional.
	LaunchedProfile func(name string) ([]byte, error)

	// Engine starts the containers. Kubernetes has no Docker: it stands for containerd.
	Engine containers.Engine
}

// Read reads the file.
func (in Input) Read() declared.Result {
	for _, f := range in.files() {
		if err := f.Check(); err != nil {
			return in.failure(err)
		}
	}
	if in.Kind == Systemd && IsDropIn(in.Name) {
		at := declared.Source{File: in.Name, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}}
		return declared.Result{Findings: []policy.Diagnostic{declared.DropInAlone.Diagnostic(at, "pass the unit with the drop-in to import or explain",
			"the unit of this drop-in is not here: what it changes is not checked")}}
	}
	var r declared.Result
	switch in.Kind {
	case Systemd:
		r = systemd.Read(in.File, in.DropIns, in.Sockets)
	case Kubernetes:
		engine := in.Engine
		if engine == containers.Docker {
			engine = containers.Containerd
		}
		r = kubernetes.ReadFor(in.File, engine)
	case Compose:
		r = compose.Read(in.File, in.Engine)
	case OCI:
		r = oci.Read(in.File)
	case CommandLine:
		r = cmdline.Read(in.File, in.Engine)
	default:
		return in.failure(fmt.Errorf("internal error: kind %d has no reader; report this as a bug", in.Kind))
	}
	if len(r.Processes) == 0 && len(r.Findings) == 0 {
		at := declared.Source{File: in.Name, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}}
		r.Findings = append(r.Findings, declared.NoProcess.Diagnostic(at, "", "no process is declared"))
	}
	return r
}

// failure returns a result that says why the file declares nothing.
func (in Input) failure(err error) declared.Result {
	at := declared.Source{File: in.Name}
	return declared.Result{Findings: []policy.Diagnostic{declared.Syntax.Diagnostic(at, "", err.Error())}}
}

func (in Input) files() []declared.File {
	return append(append([]declared.File{in.File}, in.DropIns...), in.Sockets...)
}

// makeUnique changes the names of processes that others have.
func makeUnique(list []*declared.Process) {
	used := map[string]bool{}
	for _, p := range list {
		used[p.Name] = true
	}
	seen := map[string]bool{}
	for _, p := range list {
		name := p.Name
		for n := 2; seen[name] || name != p.Name && used[name]; n++ {
			name = fmt.Sprintf("%s (%d)", p.Name, n)
		}
		p.Name = name
		seen[name] = true
	}
}

// Documents returns the profiles of the processes that the file declares, and the findings
// about the file that belong to no process, sorted. If one of these has the severity Error,
// there are no documents.
func (in Input) Documents() ([]*declared.Document, []policy.Diagnostic) {
	r := in.Read()
	findings := r.Findings
	if policy.HasErrors(findings) {
		policy.Sort(findings)
		return nil, findings
	}
	documents := make([]*declared.Document, 0, len(r.Processes))
	makeUnique(r.Processes)
	for _, p := range r.Processes {
		d, err := p.Document()
		if err != nil {
			findings = append(findings, declared.Syntax.Diagnostic(p.At, "", err.Error()))
			continue
		}
		addLaunch(d)
		documents = append(documents, d)
	}
	policy.Sort(findings)
	return documents, findings
}

// IsUnread reports whether the file starts processes that caprun does not know: a drop-in
// whose unit is not beside it, or a custom resource with containers.
func (in Input) IsUnread() bool {
	for _, f := range in.Read().Findings {
		if f.Rule == declared.Rules()[declared.DropInAlone].Name || f.Rule == declared.Rules()[declared.UnknownKind].Name {
			return true
		}
	}
	return false
}
