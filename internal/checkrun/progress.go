package checkrun

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

const (
	// progressDelay is how long a run is silent: most are over by then.
	progressDelay = 500 * time.Millisecond

	// progressInterval is how often the line changes.
	progressInterval = 100 * time.Millisecond
)

// progress is a line on the terminal that says how far a long run is. All of
// its calls come from the goroutine that prints.
type progress struct {
	terminal io.Writer // nil for no line
	since    time.Time
	shares   bool // the standard output goes to a terminal, maybe to the same
	midLine  bool // the last line printed has no end yet
	shown    bool
}

// newProgress shows a line on stderr if that is a terminal. There is none
// where stdout is a pipe: what reads it may print to the same terminal, and
// nobody knows when.
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

// show says how many files are done, unless it would stand behind half a line
// of output.
func (p *progress) show(done, all int) {
	if p.terminal == nil || time.Since(p.since) < progressDelay || p.shares && p.midLine {
		return
	}
	fmt.Fprintf(p.terminal, "\r%d of %d files\x1b[K", done, all)
	p.shown = true
}

// erase takes the line away.
func (p *progress) erase() {
	if p.shown {
		fmt.Fprint(p.terminal, "\r\x1b[K")
		p.shown = false
	}
}

// makeRoom takes the line away where output is about to stand.
func (p *progress) makeRoom() {
	if p.shares {
		p.erase()
	}
}

// wrote notes what was printed last.
func (p *progress) wrote(text []byte) {
	if len(text) > 0 {
		p.midLine = text[len(text)-1] != '\n'
	}
}
