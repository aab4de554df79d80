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
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"caprun/engine/review"
)

const (
	// chunkSize is how many files a worker takes at once: handing over costs
	// as much as a tenth of a file.
	chunkSize = 16

	// windowPerWorker is how many chunks a worker may be ahead of the printer.
	windowPerWorker = 4

	// garbage is how many bytes may come together before they are collected. A
	// file makes 30 KiB of it: to collect at Go's 4 MiB takes a sixth more CPU
	// time.
	garbage = 20 << 20

	// bytesPerFile is about what one more file keeps in use, its name.
	bytesPerFile = 128
)

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
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent(len(r.files))))
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

// gcPercent is what lets garbage come together, relative to what so many files
// keep in use. Go collects no earlier than at 4 MiB for 100.
func gcPercent(files int) int {
	return min(max(100*garbage/(bytesPerFile*max(files, 1)), 100), 100*garbage/(4<<20))
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

// reports returns the reports of all files that can be read, in the order of
// the files. Workers are ahead of the printer by a bounded number of files, so
// the memory that is needed does not depend on how many there are. They have
// ended when the sequence has.
func (r *checkRun) reports() iter.Seq[review.Report] {
	return func(yield func(review.Report) bool) {
		chunks := (len(r.files) + chunkSize - 1) / chunkSize
		workers := min(runtime.GOMAXPROCS(0), chunks)
		window := make(chan struct{}, workers*windowPerWorker)
		results := make([]chan []checked, cap(window))
		for n := range results {
			results[n] = make(chan []checked, 1)
		}
		stop := make(chan struct{})
		var next atomic.Int64
		var running sync.WaitGroup
		for range workers {
			running.Go(func() {
				var reader fileReader
				for {
					// Who may go ahead takes the next chunk: the oldest one that is
					// not printed is always being worked on.
					select {
					case window <- struct{}{}:
					case <-stop:
						return
					}
					n := int(next.Add(1)) - 1
					if n >= chunks {
						return
					}
					results[n%len(results)] <- r.checkChunk(&reader, r.files[n*chunkSize:min((n+1)*chunkSize, len(r.files))], stop)
				}
			})
		}
		defer running.Wait()
		defer close(stop)
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for n := range chunks {
			outcomes, err := r.await(results[n%len(results)], ticker.C, n*chunkSize)
			if err != nil {
				return // which print finds too
			}
			<-window
			for _, o := range outcomes {
				if o.err != nil {
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
}

// await returns the next outcomes. While it waits, what is printed is shown,
// and how far the run is.
func (r *checkRun) await(results <-chan []checked, tick <-chan time.Time, done int) ([]checked, error) {
	for {
		select {
		case <-tick:
			if err := r.flush(); err != nil {
				return nil, err
			}
			r.progress.show(done, len(r.files))
			continue
		default:
		}
		select {
		case o := <-results:
			return o, nil
		default:
		}
		if err := r.flush(); err != nil {
			return nil, err
		}
		select {
		case o := <-results:
			return o, nil
		case <-tick:
			r.progress.show(done, len(r.files))
		}
	}
}

// checkChunk checks files until it is told to stop.
func (r *checkRun) checkChunk(reader *fileReader, files []checkFile, stop <-chan struct{}) []checked {
	outcomes := make([]checked, 0, len(files))
	for _, file := range files {
		select {
		case <-stop:
			return outcomes
		default:
		}
		outcomes = append(outcomes, r.checkFile(reader, file))
	}
	return outcomes
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
