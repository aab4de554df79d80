// Package checkrun checks many profiles: it finds the files, reads and checks them
// in parallel, and passes the reports to a printer in the order of the files.
package checkrun

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"caprun/engine/review"
	"caprun/internal/render"
)

// ahead is how many files each worker may be ahead of the printer.
const ahead = 16

// Result is what a run came to; the greatest of its files.
type Result int

const (
	Clean    Result = iota
	Findings        // a finding that counts
	Trouble         // a file could not be read, or the output not be written
)

// Run checks files in parallel and prints their reports in order. It is the
// writer of the printer.
type Run struct {
	env     *render.Env
	files   []file
	options review.Options
	fails   func(review.Finding) bool

	out      *bufio.Writer
	progress progress
	result   Result
}

// A checked is what became of one file.
type checked struct {
	report review.Report
	err    error // why there is no report
}

// New returns a run without files. fails says which findings count.
func New(env *render.Env, o review.Options, fails func(review.Finding) bool) *Run {
	return &Run{env: env, options: o, fails: fails, out: bufio.NewWriterSize(env.Stdout, 32<<10), progress: newProgress(env.Stdout, env.Stderr)}
}

// Print checks the files and passes their reports to a printer.
func (r *Run) Print(printer func(io.Writer, iter.Seq[review.Report]) error) Result {
	// A printer whose reader has gone away says so and ends with a status.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	err := printer(r, r.reports())
	r.progress.erase()
	if flushed := r.flush(); flushed != nil {
		err = flushed
	}
	if err != nil {
		r.trouble(fmt.Errorf("standard output: %w", cause(err)))
	}
	return r.result
}

// cause leaves out the name that the system has for standard output.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Write takes what a printer prints.
func (r *Run) Write(p []byte) (int, error) {
	r.progress.wrote(p)
	if len(p) > r.out.Available() {
		r.progress.makeRoom()
	}
	return r.out.Write(p)
}

// flush shows what is printed so far.
func (r *Run) flush() error {
	if r.out.Buffered() > 0 {
		r.progress.makeRoom()
	}
	return r.out.Flush()
}

// trouble reports what could not be done. The other files are checked all the
// same.
func (r *Run) trouble(err error) {
	r.progress.erase()
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		r.env.ReportError(err)
	}
	r.result = Trouble
}

// A job is a file that a worker checks and the printer waits for.
type job struct {
	file file
	done chan checked
}

// reports returns the reports of all files that can be read, in the order of
// the files. Workers are ahead of the printer by a bounded number of files, so
// memory does not grow with the number of files. They have ended when the sequence
// ends.
func (r *Run) reports() iter.Seq[review.Report] {
	return func(yield func(review.Report) bool) {
		stop := make(chan struct{})
		var running sync.WaitGroup
		defer running.Wait()
		defer close(stop)
		jobs, printed := make(chan job), make(chan job, ahead*runtime.GOMAXPROCS(0))
		running.Go(func() {
			defer close(jobs)
			for _, f := range r.files {
				j := job{f, make(chan checked, 1)}
				for _, next := range []chan job{printed, jobs} {
					select {
					case next <- j:
					case <-stop:
						return
					}
				}
			}
		})
		for range runtime.GOMAXPROCS(0) {
			running.Go(func() {
				var reader fileReader
				for j := range jobs {
					j.done <- r.check(&reader, j.file)
				}
			})
		}
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for n := range r.files {
			o, err := r.await((<-printed).done, ticker.C, n)
			switch {
			case err != nil:
				return // print reports it
			case o.err != nil:
				if r.flush() != nil {
					return
				}
				r.trouble(o.err)
				continue
			}
			if r.result == Clean && slices.ContainsFunc(o.report.Findings, r.fails) {
				r.result = Findings
			}
			if !yield(o.report) {
				return
			}
		}
	}
}

// await returns the next result. While it waits, it shows what is printed so far
// and the progress of the run.
func (r *Run) await(done <-chan checked, tick <-chan time.Time, files int) (checked, error) {
	for {
		select {
		case <-tick:
			r.progress.show(files, len(r.files))
		default:
		}
		select {
		case o := <-done:
			return o, nil
		default:
		}
		if err := r.flush(); err != nil {
			return checked{}, err
		}
		select {
		case o := <-done:
			return o, nil
		case <-tick:
			r.progress.show(files, len(r.files))
		}
	}
}

// check checks one file. A panic is trouble with that file.
func (r *Run) check(reader *fileReader, f file) (o checked) {
	defer func() {
		if p := recover(); p != nil {
			o = checked{err: fmt.Errorf("%s: caprun panicked: %v; this is a mistake in caprun and not in the profile: please report it, with the file", f.name, p)}
		}
	}()
	var text []byte
	var err error
	switch {
	case f.ahead != nil:
		text, err = f.ahead.text, f.ahead.err
	case f.found != "":
		text, err = reader.readFound(f.found)
	default:
		text, err = reader.read(f.name)
	}
	if err != nil {
		return checked{err: fmt.Errorf("%s: %w", f.name, cause(err))}
	}
	return checked{report: review.Check(f.name, text, r.options)}
}
