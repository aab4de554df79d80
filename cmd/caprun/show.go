package main

import (
	"fmt"
	"os"

	"caprun/cap"
	"caprun/engine"
	"caprun/internal/render"
)

// show prints the credentials of a process.
func (c *Command) show(args []string) int {
	f := flags("show")
	pidText := f.String("pid", "", "")
	format := f.String("format", "human", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	switch {
	case !humanOrJSON(*format):
		return c.usageError(fmt.Sprintf("-format %q: human or json", *format), usage, exitTrouble)
	case f.NArg() != 0:
		return c.usageError("show takes no arguments but -pid", usage, exitTrouble)
	}
	var s *render.Process
	var err error
	if given(f, "pid") {
		pid, wrong := parsePID(*pidText)
		if wrong != nil {
			return c.usageError(wrong.Error(), usage, exitTrouble)
		}
		s, err = showProcess(pid)
	} else {
		s, err = showOwn()
	}
	switch {
	case err != nil:
	case *format == "json":
		err = render.JSON(c.Stdout, s)
	default:
		err = s.Print(c.Stdout, c.Colour)
	}
	if err != nil {
		return c.trouble(err)
	}
	return exitOK
}

// showOwn reads what caprun was started with.
func showOwn() (*render.Process, error) {
	own, err := engine.Current()
	if err != nil {
		return nil, err
	}
	return render.OwnProcess(os.Getpid(), own, cap.GetMode()), nil
}

func showProcess(pid int) (*render.Process, error) {
	p, err := engine.ReadProcess(pid)
	if err != nil {
		return nil, err
	}
	root, err := engine.RootDirectory("/")
	if err != nil {
		return nil, err
	}
	return render.OtherProcess(p, root), nil
}
