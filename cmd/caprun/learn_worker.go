package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/internal/supervise"
	"caprun/learn"
	"caprun/learn/observe"
	learnrun "caprun/learn/run"
	"caprun/policy"
)

// learn finds the least privilege of a program. It is the worker, below a guard.
func (c *Command) learn(o learnOptions, argv []string) int {
	w := &learnMachine{argv: argv, options: o}
	if err := learnrun.WatchGuard(c.descriptor, w.guardLost); err != nil {
		return c.fail(fmt.Errorf("%s is reserved for caprun learn: %w", learnrun.WorkerArgument, err))
	}
	// From the first signal on nothing new is started; the guard handles a second one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	var err error
	if w.from, err = machine.CurrentCred(); err != nil {
		return c.fail(fmt.Errorf("read the caller's state: %w", err))
	}
	w.strict = machine.HasPrivilege(w.from)
	config := learn.Config{
		Program: argv, Test: o.test, Reset: o.reset, Timeout: o.timeout, Caller: w.from, Auto: o.uid.auto,
	}
	var status int
	if config.Base, status = c.readBase(o.profile, w.strict); status != exitOK {
		return status
	}
	if w.name = learn.ProfileName; config.Base != nil {
		w.name = config.Base.File
		if len(argv) == 0 {
			config.Program = config.Base.Command
		}
	}
	if o.noTrace {
		config.Untraced = "-no-trace"
	}
	if config.As, err = o.uid.identity(); err != nil {
		return c.fail(err)
	}
	if !o.noTrace {
		if err := observe.Available(); err != nil {
			return c.fail(fmt.Errorf("cannot record what the kernel checks: %w; or pass -no-trace, which needs more runs and cannot say why a capability is needed", err))
		}
	}
	tree, err := learnrun.NewTree()
	if err != nil {
		return c.fail(err)
	}
	tree.Command = func(command string) []string { return []string{"caprun", learnrun.CommandArgument, command} }
	w.setTree(tree)
	p := &learnPrinter{Command: c, options: o, config: &config}
	p.announce(w.fileEffect(config.Base))
	config.Ended, config.TestedAlone = p.step, p.testedAlone
	report, err := learn.Learn(ctx, w, config)
	return p.finish(report, err)
}

// learnMachine runs the program. It implements learn.Machine.
type learnMachine struct {
	options learnOptions
	argv    []string
	name    string // of the base profile
	from    cred.Cred
	strict  bool

	mu       sync.Mutex
	tree     *learnrun.Tree
	observer *observe.Observer // of the present run; nil for none
}

func (w *learnMachine) setTree(t *learnrun.Tree) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree = t
}

// closeTime bounds how long the end of a recording may take after the guard has ended.
const closeTime = 5 * time.Second

// guardLost ends every process and removes the probes, and then this process: the guard has
// ended.
func (w *learnMachine) guardLost() {
	timer := time.AfterFunc(killTime+closeTime, func() { os.Exit(exitFindings) })
	defer timer.Stop()
	w.mu.Lock()
	if w.tree != nil {
		_ = w.tree.KillAll() // no process is left that could report it
	}
	if w.observer != nil {
		_, _ = w.observer.Close()
	}
	os.Exit(exitFindings)
}

// killTime is how long learnrun.Tree.KillAll takes at most.
const killTime = 10 * time.Second

// Run runs the program once.
func (w *learnMachine) Run(ctx context.Context, profile []byte, kind learnrun.Kind, limit time.Duration) (o learn.Outcome, err error) {
	program := learnrun.Program{
		Test: w.options.test, Reset: w.options.reset, Settle: w.options.settle, Timeout: limit, ResetTimeout: w.options.timeout,
		Start: func(s learnrun.Streams) (learnrun.Child, error) {
			child, err := supervise.StartWaiting(w.argv, s.Stdin, s.Stdout, s.Stderr)
			if err != nil {
				return learnrun.Child{}, err
			}
			request := supervise.Request{Profile: w.name, Text: profile, Strict: w.strict}
			return learnrun.Child{
				PID:    child.PID,
				Launch: func() (bool, error) { return child.Launch(request) },
				Close:  child.Close,
			}, nil
		},
	}
	if !w.options.noTrace {
		program.Record = func(pid int) (func() error, error) {
			if err := w.observe(pid); err != nil {
				return nil, fmt.Errorf("record what the kernel checks: %w", err)
			}
			return func() error {
				var err error
				o.Recording, err = w.recording()
				return err
			}, nil
		}
	}
	o.Result, err = w.tree.Run(ctx, program, kind)
	return o, err
}

// TestAlone runs the reset command and the test, without the program.
func (w *learnMachine) TestAlone(ctx context.Context, limit time.Duration) (learnrun.Result, error) {
	return w.tree.TestAlone(ctx, learnrun.Program{Test: w.options.test, Reset: w.options.reset, Timeout: w.options.timeout}, limit)
}

// observe begins to record a process.
func (w *learnMachine) observe(pid int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	w.observer, err = observe.Open(pid, observe.Options{FirstThread: true})
	return err
}

// recording ends the recording.
func (w *learnMachine) recording() (*observe.Recording, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	observer := w.observer
	w.observer = nil
	return observer.Close()
}

// Target returns what the plan of the waiting child depends on.
func (w *learnMachine) Target(p *policy.Profile) (engine.Target, error) {
	target, err := engine.FindTarget(p, w.from, w.argv)
	if err != nil {
		return target, err
	}
	if target.Resources, err = machine.ReadResources(p); err != nil {
		return target, fmt.Errorf("read the caller's state: %w", err)
	}
	target.KernelRules, target.Supervised = machine.KernelRules(), true
	return target, nil
}

// fileEffect describes the set-id bits and file capabilities of the program; empty if it
// has none, or cannot be found: the first launch reports that.
func (w *learnMachine) fileEffect(base *policy.Profile) string {
	if base == nil {
		base = &policy.Profile{}
	}
	target, err := engine.FindTarget(base, w.from, w.argv)
	if f := target.File; err != nil || !f.HasCaps && !f.Setuid && !f.Setgid {
		return ""
	}
	return target.Effect()
}

// launchError returns an error of a launch as the message that a launch prints.
func launchError(err error) []string {
	var none *engine.NoPlanError
	var refused *learnrun.RefusedError
	switch {
	case errors.As(err, &refused):
		// The launch has printed "caprun: " and the message.
		return []string{strings.TrimPrefix(err.Error(), "caprun: ")}
	case !errors.As(err, &none):
		return []string{render.Error(err)}
	}
	var lines []string
	for _, d := range none.Diagnostics {
		if d.Severity == policy.Error {
			line := render.Located(d.File, d.Position, render.WithHint(d.Message, d.Hint))
			if d.File == learn.ProfileName {
				// The user has not written this profile.
				line = render.WithHint(d.Message, "start caprun learn as root, or in a user namespace: unshare -r caprun learn -no-trace")
			}
			lines = append(lines, line)
		}
	}
	return lines
}
