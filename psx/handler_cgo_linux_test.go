//go:build cgo

package psx

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"caprun/psx/internal/churn"
)

// installLibraryHandler makes the C library set its handler. Without it, a signal
// that is not from psx ends the process. musl sets it when it first cancels a thread.
func installLibraryHandler() { churn.Cancel() }

func TestForgedSignals(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	installLibraryHandler()
	guest := must[churn.Guest](t)(churn.NewGuest())
	n := 0
	callDuring(t, 200, repeat(t, 1, func() error {
		n++
		const queued, ours = -1, -0x707378
		err := churn.Forge(int(guest), queued, n, n)
		for _, index := range []int{-1, -2, 0, 1, n % 50, 1 << 20, 1<<31 - 1, -1 << 31} {
			if err == nil {
				err = churn.Forge(int(guest), ours, n, index)
			}
		}
		time.Sleep(50 * time.Microsecond)
		return err
	}))
}

func TestHandlerIsReplaced(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	installLibraryHandler()
	defer parkThreads(5)()
	for n, replace := range []func() error{
		func() error { return nil },
		churn.ReplaceHandler, churn.PrependHandler, churn.ReplaceHandler, churn.PrependHandler, churn.ReplaceHandler,
	} {
		check(t, replace())
		name := "n" + strconv.Itoa(n)
		if errno := setName(name); errno != 0 {
			t.Fatal(errno)
		}
		requireAll(t, "Name", name)
		// Two handlers must not call each other without end.
		check(t, churn.Forge(syscall.Gettid(), -1, 0, 0))
	}
	callDuring(t, 50, repeat(t, 1, func() error {
		time.Sleep(5 * time.Millisecond)
		return churn.ReplaceHandler()
	}))
}

// TestDefaultActionIsKept: where no other handler is set, a signal that is not from
// psx takes the default action.
func TestDefaultActionIsKept(t *testing.T) {
	if isOwnProcess(t) {
		check(t, churn.RemoveHandler())
		if errno := setName("n"); errno != 0 {
			t.Fatal(errno)
		}
		fmt.Println("forged", churn.Forge(syscall.Gettid(), -1, 0, 0))
		time.Sleep(time.Second)
		return
	}
	output, err := child(t, nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != 33 {
		t.Errorf("the child ended with %v, want signal 33\n%s", err, output)
	}
}

func TestLongCallsAreRestarted(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	end := must[func() []error](t)(churn.StartLongCalls())
	for n := range 100 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
	}
	requireAll(t, "Name", "n99")
	for i, err := range end() {
		switch {
		case i < churn.Restarted && err != nil:
			t.Errorf("%s: %v", churn.LongCalls[i], err)
		case i >= churn.Restarted && err != syscall.EINTR && err != nil: // some libraries repeat the call
			t.Errorf("%s: %v", churn.LongCalls[i], err)
		}
	}
}
