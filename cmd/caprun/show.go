package main

import (
	"os"

	"caprun/cap"
	"caprun/engine/machine"
	"caprun/internal/render"
)

// showOptions are the flags of show.
type showOptions struct {
	pid  int // 0 for caprun itself
	json bool
}

// showForm is the form that prints the credentials of a process.
func showForm() *form {
	var o showOptions
	return &form{
		name: "show", about: "print the credentials of a process",
		flags: []*formFlag{
			{name: "pid", metavar: "PID", about: "process", value: processID(&o.pid),
				more: "The default is caprun itself, which has the credentials of its caller."},
			formatFlag(&o.json),
		},
		status: "Exit status: 0 success, 2 usage error or unreadable process.",
		run:    func(c *Command, _ []string) int { return c.show(o) },
	}
}

// show prints the credentials of a process.
func (c *Command) show(o showOptions) int {
	read := showOwn
	if o.pid != 0 {
		read = func() (*render.Process, error) { return showProcess(o.pid) }
	}
	s, err := read()
	switch {
	case err != nil:
	case o.json:
		err = render.JSON(c.Stdout, s)
	default:
		err = s.Print(c.Stdout, c.Colour)
	}
	if err != nil {
		return c.fail(err)
	}
	return exitOK
}

// showOwn reads the credentials of caprun, which are those of its caller.
func showOwn() (*render.Process, error) {
	own, err := machine.CurrentCred()
	if err != nil {
		return nil, err
	}
	return render.OwnProcess(os.Getpid(), own, cap.GetMode()), nil
}

// showProcess reads the credentials of another process.
func showProcess(pid int) (*render.Process, error) {
	p, err := machine.ReadProcess(pid)
	if err != nil {
		return nil, err
	}
	root, err := machine.DirectoryID("/")
	if err != nil {
		return nil, err
	}
	return render.OtherProcess(p, root), nil
}
