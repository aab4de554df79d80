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
		t.Error("a launch does not know its thread")
	}
	leaveLaunchThread(tid)
	if onLaunchThread() {
		t.Error("a change on a thread with the id of one that has left would be for that thread alone")
	}
	changed := make(chan scope)
	go change(func(s scope) error { changed <- s; return nil })
	runtime.Gosched()
	select {
	case <-changed:
		t.Error("a change does not wait until the thread of a launch is gone")
	default:
		endLaunch()
		if <-changed != allThreads {
			t.Error("the change is not for all threads")
		}
	}
}
