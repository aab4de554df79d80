//go:build linux

// Command signalreport is a target that prints the signals it receives, one per line.
// It exits when its standard input ends. Build it with CGO_ENABLED=0.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// longest is its maximum lifetime.
const longest = time.Minute

func main() {
	c := make(chan os.Signal, 64)
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		// The Go runtime sends SIGURG to itself.
		if !signal.Ignored(sig) && sig != syscall.SIGURG {
			signal.Notify(c, sig)
		}
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	fmt.Println("ready", os.Getpid())
	timer := time.After(longest)
	for {
		select {
		case sig := <-c:
			fmt.Printf("heard %d\n", sig)
		case <-ended:
			return
		case <-timer:
			os.Exit(4)
		}
	}
}
