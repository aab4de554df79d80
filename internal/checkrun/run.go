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
	"strings"
	"sync"
	"syscall"
	"time"

	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/internal/source"
)

// ahead is how many files each worker may be ahead of the printer.
const ahead = 16

// Result is the result of a run: the greatest of its files.
type Result int

const (
	Clean    Result = iota
	Findings        // a finding that fails the run
	Failed          // a file could not be read, or the output could not be written
)

// Run checks files in parallel and prints their reports in order. The printer writes
// to it.
type Run struct {
	env     *render.Env
	files   []file
	options review.Options
	fails   func(review.Finding) bool

	out      *bufio.Writer
	progress progress
	result   Result
}

// checked is the result of one file.
type checked struct {
	reports []review.Report // one, or those of a unit and its drop-ins
	err     error           // why there is no report
}

// New returns a run without files. fails reports whether a finding makes the result
// Findings.
func New(env *render.Env, o review.Options, fails func(review.Finding) bool) *Run {
	return &Run{env: env, options: o, fails: fails, out: bufio.NewWriterSize(env.Stdout, 32<<10), progress: newProgress(env.Stdout, env.Stderr)}
}

// Print checks the files and passes their reports to a printer.
func (r *Run) Print(printer func(io.Writer, iter.Seq[review.Report]) error) Result {
	// Without a reader, report the error of the write instead of ending by SIGPIPE.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	err := printer(r, r.reports())
	r.progress.erase()
	if flushed := r.flush(); flushed != nil {
		err = flushed
	}
	if err != nil {
		r.fail(fmt.Errorf("standard output: %w", cause(err)))
	}
	return r.result
}

// cause returns an error without the path: messages name the file themselves.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Write writes output of the printer.
func (r *Run) Write(p []byte) (int, error) {
	r.progress.afterOutput(p)
	if len(p) > r.out.Available() {
		r.progress.beforeOutput()
	}
	return r.out.Write(p)
}

// flush writes the output so far.
func (r *Run) flush() error {
	if r.out.Buffered() > 0 {
		r.progress.beforeOutput()
	}
	return r.out.Flush()
}

// fail reports an error, which may be several joined ones. The run continues with the
// other files.
func (r *Run) fail(err error) {
	r.progress.erase()
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		r.env.ReportError(err)
	}
	r.result = Failed
}

// job is a file that a worker checks, and for which the printer waits.
type job struct {
	file file
	done chan checked
}

// reports returns the reports of all files that can be read, in the order of the
// files. The workers are ahead of the printer by a bounded number of files, so memory
// does not grow with the number of files. They end before the sequence does.
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
				var reader source.Reader
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
				return // Print reports it
			case o.err != nil:
				if r.flush() != nil {
					return
				}
				r.fail(o.err)
				continue
			}
			for _, report := range o.reports {
				if r.result == Clean && slices.ContainsFunc(report.Findings, r.fails) {
					r.result = Findings
				}
				if !yield(report) {
					return
				}
			}
		}
	}
}

// await waits for the result of the next file. If it has to wait, it first writes the
// output so far, and then shows the progress.
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

// check checks one file. A panic becomes the error of that file.
func (r *Run) check(reader *source.Reader, f file) (o checked) {
	defer func() {
		if p := recover(); p != nil {
			o = checked{err: fmt.Errorf("%s: caprun panicked: %v; this is a bug in caprun, not a mistake in the profile: please report it, with the file", f.name, p)}
		}
	}()
	var c source.Content
	var err error
	switch {
	case f.preread != nil:
		c, err = f.preread.Content, f.preread.err
	case f.path != "":
		c, err = reader.ReadNoLinks(f.name, f.path)
	default:
		c, err = reader.Read(f.name, f.name)
	}
	if err != nil {
		return checked{err: fmt.Errorf("%s: %w%s", f.name, source.BrokenLink(f.name, cause(err)), argumentHint(f.name, err))}
	}
	if c.Platform != nil {
		c.Platform.LaunchedProfile = source.LaunchedProfile(r.options.Host != nil)
		return checked{reports: c.Platform.Check(r.options)}
	}
	return checked{reports: []review.Report{review.Check(f.name, c.Text, r.options)}}
}

// argumentHint returns what to do about an argument that is not a file but looks like a flag
// or like the name of a profile.
func argumentHint(name string, err error) string {
	if strings.HasPrefix(name, "-") && errors.Is(err, fs.ErrNotExist) {
		return "; flags come before the paths"
	}
	return source.FileHint(name, err)
}
