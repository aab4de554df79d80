package main

import (
	"fmt"
	"time"

	"caprun/internal/source"
	"caprun/learn/observe"
	learnrun "caprun/learn/run"
	"caprun/policy"
)

// learnOptions are the flags of learn.
type learnOptions struct {
	profile         string
	out             string
	test, reset     string
	settle, timeout time.Duration
	uid             secondUID
	noTrace         bool
	json            bool
}

// learnForm is the form that finds the least privilege of a program.
func learnForm() *form {
	o := new(learnOptions)
	return &form{
		name: "learn", about: "find the capabilities that a program needs",
		help: "caprun starts the program many times, with fewer and fewer capabilities, and tests whether it works. " +
			"It prints the profile from which no capability can be removed, with the reason for each. " +
			"Every run does what the program does: use a container or a test system.",
		flags: []*formFlag{
			{name: "profile", metavar: "BASE", about: "profile to start from; no run has more privilege", value: nonEmpty(&o.profile, aProfile),
				more: "It can set other keys, such as chroot. Without it, the first run has the privilege of the caller."},
			{name: "o", metavar: "FILE", about: "file to write the profile to", value: nonEmpty(&o.out, aFile),
				more: "FILE must not exist. An unconfirmed profile is not written there. The default is standard output."},
			{name: "test", metavar: "CMD", about: "shell command that succeeds if the program works", value: nonEmpty(&o.test, aText),
				more: "caprun repeats it until it succeeds or the program ends. If the program ends by itself, the test after its end decides. It must fail without the program: caprun runs it once before the first run. " +
					"Without -test, the program works if its exit status is 0."},
			{name: "reset", metavar: "CMD", about: "shell command to run before each run", value: nonEmpty(&o.reset, aText),
				more: "It restores the state that a run has changed; otherwise the next run may need less."},
			{name: "settle", metavar: "DURATION", about: "how long the program must run after the test succeeded",
				value: duration(&o.settle, 250*time.Millisecond, 0, time.Hour, "250ms", "1s", "5s")},
			{name: "timeout", metavar: "DURATION", about: "time limit for each run",
				value: duration(&o.timeout, 10*time.Second, 100*time.Millisecond, 24*time.Hour, "10s", "30s", "2m")},
			{name: "uid", metavar: "USER", about: "learn a second time, for a start as this user", value: o.uid.value(),
				more: "USER is a name, UID, UID:GID or auto: the user that the program changes to by itself. The profile is that of the named user; with auto, the one that grants less."},
			{name: "no-trace", about: "do not record what the kernel checks", value: isSet(&o.noTrace),
				more: "Recording needs more privilege than the runs (usually root). Without it, caprun needs more runs and cannot say why a capability is needed."},
			formatFlag(&o.json),
		},
		operands: []operand{
			{metavar: "CMD", takes: aProgram, optional: true, about: "program"},
			{metavar: "ARG", takes: aFile, optional: true, many: true, about: "argument"},
		},
		status: "Exit status: 0 a confirmed profile was found, 1 no confirmed profile, 2 usage error, or a file that cannot be read or written.",
		run: func(c *Command, argv []string) int {
			if c.worker {
				return c.learn(*o, argv)
			}
			return c.guardLearn(*o, argv)
		},
	}
}

// guardLearn runs learn in another process, so that nothing is left if one of the two is
// killed.
func (c *Command) guardLearn(o learnOptions, argv []string) int {
	if len(argv) == 0 && o.profile == "" {
		return c.usageError("missing CMD")
	}
	if o.out != "" {
		if err := checkNew(o.out); err != nil {
			return c.fail(err)
		}
	}
	status, err := learnrun.RunGuard(func(descriptor string) []string {
		return append([]string{"caprun", learnrun.WorkerArgument, descriptor}, c.args...)
	})
	// A worker that crashed has exit status 2, and its probes are left as well.
	if !o.noTrace && (err != nil || status != exitOK) {
		removeErr := observe.RemoveProbes()
		if removeErr != nil && status > 128 {
			c.ReportError(removeErr)
		}
	}
	if err != nil {
		return c.fail(err)
	}
	if status > 128 {
		c.Report(fmt.Sprintf("learn: a signal (%d) has ended the process that runs the program; every process that it started was ended", status-128))
		return exitFindings
	}
	return status
}

// learnWorker is learn in the process that RunGuard has started.
func (c *Command) learnWorker(descriptor string, args []string) int {
	if len(args) == 0 || args[0] != learnForm().name {
		return c.fail(fmt.Errorf("%s is reserved for caprun learn", learnrun.WorkerArgument))
	}
	c.worker, c.descriptor = true, descriptor
	return c.Main(args)
}

// readBase reads the base profile; it is nil without one.
func (c *Command) readBase(name string, strict bool) (base *policy.Profile, status int) {
	if name == "" {
		return nil, exitOK
	}
	src, err := source.Find(name, c.Stdin)
	if err != nil {
		return nil, c.fail(err)
	}
	text, err := src.Text(strict)
	if err != nil {
		return nil, c.fail(fmt.Errorf("profile %s: %w", src.Name, err))
	}
	base, findings := policy.Parse(src.Name, text)
	if base == nil {
		return nil, c.reportFindings(findings, text, exitError)
	}
	return base, exitOK
}
