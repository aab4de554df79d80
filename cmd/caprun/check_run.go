package main

import (
	"bufio"
	"errors"
	"fmt"
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
)

// ahead is how many files each worker may be ahead of the printer.
const ahead = 16

// A checkRun checks files in parallel and prints their reports in order. It is
// the writer of the printers.
type checkRun struct {
	command *Command
	files   []checkFile
	options review.Options
	fails   func(review.Finding) bool

	out      *bufio.Writer
	progress progress
	status   int
}

// A checked is what became of one file.
type checked struct {
	report review.Report
	err    error // why there is no report
}

func (c *Command) newCheckRun(o review.Options, fails func(review.Finding) bool) *checkRun {
	return &checkRun{command: c, options: o, fails: fails, out: bufio.NewWriterSize(c.Stdout, 32<<10), progress: newProgress(c.Stdout, c.Stderr)}
}

// print lets a printer print the reports, and returns the status. Only trouble
// stands above findings.
func (r *checkRun) print(printer func() error) int {
	// A printer whose reader has gone away says so and ends with a status.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	err := printer()
	r.progress.erase()
	if flushed := r.flush(); flushed != nil {
		err = flushed
	}
	if err != nil {
		r.trouble(fmt.Errorf("standard output: %w", cause(err)))
	}
	return r.status
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
func (r *checkRun) Write(p []byte) (int, error) {
	r.progress.wrote(p)
	if len(p) > r.out.Available() {
		r.progress.makeRoom()
	}
	return r.out.Write(p)
}

// flush shows what is printed so far.
func (r *checkRun) flush() error {
	if r.out.Buffered() > 0 {
		r.progress.makeRoom()
	}
	return r.out.Flush()
}

// trouble says what could not be done. The other files are checked all the
// same.
func (r *checkRun) trouble(err error) {
	r.progress.erase()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			r.command.trouble(err)
		}
	} else {
		r.command.trouble(err)
	}
	r.status = exitTrouble
}

// A checkJob is a file that a worker checks and the printer waits for.
type checkJob struct {
	file checkFile
	done chan checked
}

// reports returns the reports of all files that can be read, in the order of
// the files. Workers are ahead of the printer by a bounded number of files, so
// memory does not grow with the number of files. They have ended when the sequence
// ends.
func (r *checkRun) reports() iter.Seq[review.Report] {
	return func(yield func(review.Report) bool) {
		stop := make(chan struct{})
		var running sync.WaitGroup
		defer running.Wait()
		defer close(stop)
		jobs, printed := make(chan checkJob), make(chan checkJob, ahead*runtime.GOMAXPROCS(0))
		running.Go(func() {
			defer close(jobs)
			for _, file := range r.files {
				job := checkJob{file, make(chan checked, 1)}
				for _, next := range []chan checkJob{printed, jobs} {
					select {
					case next <- job:
					case <-stop:
						return
					}
				}
			}
		})
		for range runtime.GOMAXPROCS(0) {
			running.Go(func() {
				var reader fileReader
				for job := range jobs {
					job.done <- r.checkFile(&reader, job.file)
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
			if r.status == exitOK && slices.ContainsFunc(o.report.Findings, r.fails) {
				r.status = exitFindings
			}
			if !yield(o.report) {
				return
			}
		}
	}
}

// await returns the next result. While it waits, it shows what is printed so far
// and the progress of the run.
func (r *checkRun) await(done <-chan checked, tick <-chan time.Time, files int) (checked, error) {
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

// checkFile checks one file. A panic is trouble with that file.
func (r *checkRun) checkFile(reader *fileReader, file checkFile) (o checked) {
	defer func() {
		if p := recover(); p != nil {
			o = checked{err: fmt.Errorf("%s: caprun panicked: %v; this is a mistake in caprun and not in the profile: please report it, with the file", file.name, p)}
		}
	}()
	var text []byte
	var err error
	switch {
	case file.ahead != nil:
		text, err = file.ahead.text, file.ahead.err
	case file.found != "":
		text, err = reader.readFound(file.found)
	default:
		text, err = reader.read(file.name)
	}
	if err != nil {
		return checked{err: fmt.Errorf("%s: %w", file.name, cause(err))}
	}
	return checked{report: review.Check(file.name, text, r.options)}
}
