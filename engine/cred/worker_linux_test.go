//go:build linux && (amd64 || arm64)

package cred_test

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// work is the main function of the worker: it reads a run and writes a report.
func work(in io.Reader, out io.Writer) error {
	var r run
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return err
	}
	if r.NoSuid {
		if err := remountNoSuid(); err != nil {
			return err
		}
	}
	rules, err := uname()
	if err != nil {
		return err
	}
	here, err := observe()
	if err != nil {
		return err
	}
	w := worker{run: r, rules: rules, root: here.Root}

	var rep report
	if d := difference(here.complete(r.Start, w.root), r.Start); d != "" {
		rep.Mismatches = append(rep.Mismatches, "the worker itself starts otherwise than predicted:\n"+d)
		return json.NewEncoder(out).Encode(rep)
	}
	if rep.Missing = missing(r); rep.Missing != "" {
		return json.NewEncoder(out).Encode(rep)
	}
	const enough = 3
	for index := 0; index < r.Count && len(rep.Mismatches) < enough; index++ {
		s := generate(r, rules, index)
		o, err := w.perform(s)
		if err != nil {
			return fmt.Errorf("seed %d, sequence %d: %w\n%s", r.Seed, index, err, s)
		}
		rep.Compared++
		if o.child != nil {
			rep.Executed++
		}
		if w.judge(s, o) != "" {
			rep.Mismatches = append(rep.Mismatches, w.explain(s, index))
		}
	}
	return json.NewEncoder(out).Encode(rep)
}

type worker struct {
	run   run
	rules cred.Rules
	root  inode
}

// An outcome is the result of a sequence in the kernel.
type outcome struct {
	errnos []cred.Errno
	thread observation // after the operations
	exec   cred.Errno
	child  *observation // after exec, nil when it failed
}

// judge runs the sequence in the model and returns how the outcome differs; empty if it does
// not.
func (w worker) judge(s sequence, o outcome) string {
	c := w.run.Start
	for i, step := range s.operations {
		before := c
		var errno cred.Errno
		if c, errno = step.model(c, w.rules); errno != o.errnos[i] {
			return fmt.Sprintf("operation %d, %s: kernel %v, model %v\n", i+1, step.text, o.errnos[i], errno)
		}
		if errno != 0 && !c.Equal(before) {
			return fmt.Sprintf("operation %d, %s: refused, but it changes %v\n", i+1, step.text, c.Diff(before))
		}
	}
	if d := difference(o.thread.complete(c, w.root), c); d != "" {
		return "after the operations:\n" + d
	}
	if s.ending == nil {
		return ""
	}
	blurred := s.ending.blursIDs(c, w.rules)
	c, result, errno := s.ending.model(c, w.rules)
	if errno != o.exec {
		return fmt.Sprintf("exec: kernel %v, model %v\n", o.exec, errno)
	}
	if errno != 0 {
		return ""
	}
	if d := difference(o.child.complete(c, w.root), c); d != "" {
		return "after exec:\n" + d
	}
	if result.Secure != o.child.Secure && !blurred {
		return fmt.Sprintf("AT_SECURE: kernel %v, model %v\n", o.child.Secure, result.Secure)
	}
	return ""
}

// difference lists the fields in which the kernel and the model differ.
func difference(kernel, model cred.Cred) string {
	var b strings.Builder
	for _, field := range kernel.Diff(model) {
		k := reflect.ValueOf(kernel).FieldByName(field).Interface()
		m := reflect.ValueOf(model).FieldByName(field).Interface()
		fmt.Fprintf(&b, "\t%s: kernel %v, model %v\n", field, k, m)
	}
	return b.String()
}

// explain returns the message for a sequence that fails: a shorter one, and the difference.
func (w worker) explain(s sequence, index int) string {
	short := shrink(s, func(t sequence) bool {
		o, err := w.perform(t)
		return err == nil && w.judge(t, o) != ""
	})
	o, err := w.perform(short)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("seed %d, sequence %d:\n%s%s", w.run.Seed, index, short, w.judge(short, o))
}

// missing returns why sequences cannot run here; empty if they can.
func missing(r run) (what string) {
	f := cred.File{UID: r.Owners[0], GID: r.Owners[0], Setuid: true, Setgid: true, GroupExec: true, HasCaps: r.FileCaps}
	for _, f.UID = range r.Owners {
		if err := setAttributes("helper", f); err != nil {
			return fmt.Sprintf("files of others with privileges: %v", err)
		}
	}
	inThread(func() {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			what = fmt.Sprintf("a working directory for one thread: unshare: %v", err)
			return
		}
		// Some systems let everybody make a user namespace, and then take
		// the capabilities away without a trace in the credentials.
		if err := unix.Chroot("."); err != nil && r.Start.Effective.Has(cred.SYS_CHROOT) {
			what = fmt.Sprintf("capabilities that count: chroot: %v", err)
		}
	})
	return what
}

// perform runs a sequence in the kernel.
func (w worker) perform(s sequence) (o outcome, err error) {
	if e := s.ending; e != nil && e.path == "helper" {
		if err := setAttributes(e.path, e.file); err != nil {
			return o, err
		}
	}
	inThread(func() { o, err = performHere(s) })
	return o, err
}

// inThread calls f in a thread that ends after it, so that its credentials do not matter.
func inThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		f()
	}()
	<-done
}

func performHere(s sequence) (o outcome, err error) {
	// Root and working directory are of this thread from here on.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return o, fmt.Errorf("unshare: %w", err)
	}
	for _, step := range s.operations {
		o.errnos = append(o.errnos, step.kernel())
	}
	if o.thread, err = observe(); err != nil {
		return o, err
	}
	if s.ending != nil {
		o.child, o.exec, err = s.ending.perform()
	}
	return o, err
}
