package cap

import (
	"runtime"
	"testing"
)

// TestThreadIDReused: if a thread gets the ID of a former launch thread, its changes
// apply to the whole process, and wait for the launch to end.
func TestThreadIDReused(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tid := gettid()
	beginLaunch(tid, false)
	if !onLaunchThread() {
		t.Error("the thread of a launch is not known")
	}
	leaveLaunchThread(tid)
	if onLaunchThread() {
		t.Error("a change on a thread with the ID of a former launch thread would apply only to that thread")
	}
	changed := make(chan scope)
	go change(func(s scope) error { changed <- s; return nil })
	runtime.Gosched()
	select {
	case <-changed:
		t.Error("a change does not wait until the thread of a launch has ended")
	default:
		endLaunch()
		if <-changed != allThreads {
			t.Error("the change does not apply to all threads")
		}
	}
}
