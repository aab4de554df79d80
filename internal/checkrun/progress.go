package checkrun

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

const (
	// progressDelay is the time before the line appears: most runs end earlier.
	progressDelay = 500 * time.Millisecond

	// progressInterval is the time between two changes of the line.
	progressInterval = 100 * time.Millisecond
)

// progress is a line on the terminal that shows the progress of a long run. It is for
// the goroutine that prints.
type progress struct {
	terminal io.Writer // nil for no line
	since    time.Time
	shares   bool // the standard output is a terminal, perhaps the same
	midLine  bool // the output so far does not end with a line break
	shown    bool
}

// newProgress returns a line on stderr if that is a terminal, and an invisible one
// otherwise or if stdout is a pipe: its reader may print to the same terminal.
func newProgress(stdout, stderr io.Writer) progress {
	err, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(err.Fd())) || os.Getenv("TERM") == "dumb" {
		return progress{}
	}
	p := progress{terminal: err, since: time.Now()}
	if out, ok := stdout.(*os.File); ok {
		p.shares = term.IsTerminal(int(out.Fd()))
		if st, err := out.Stat(); err != nil || !p.shares && !st.Mode().IsRegular() && st.Mode()&os.ModeCharDevice == 0 {
			return progress{}
		}
	}
	return p
}

// show prints how many files are done, unless the line would follow part of a line of
// output.
func (p *progress) show(done, all int) {
	if p.terminal == nil || time.Since(p.since) < progressDelay || p.shares && p.midLine {
		return
	}
	fmt.Fprintf(p.terminal, "\r%d of %d files\x1b[K", done, all)
	p.shown = true
}

// erase removes the line.
func (p *progress) erase() {
	if p.shown {
		fmt.Fprint(p.terminal, "\r\x1b[K")
		p.shown = false
	}
}

// beforeOutput removes the line if output goes to a terminal, too.
func (p *progress) beforeOutput() {
	if p.shares {
		p.erase()
	}
}

// afterOutput records the output.
func (p *progress) afterOutput(text []byte) {
	if len(text) > 0 {
		p.midLine = text[len(text)-1] != '\n'
	}
}
