package cap

import "sync"

// gate orders what changes the credentials of the process. Changes on all
// threads exclude each other and every launch; launches, each on a thread of
// its own, run side by side.
var gate struct {
	sync.Mutex
	changing  bool
	launching map[int]struct{} // by thread id
}

var gateOpened = sync.Cond{L: &gate}

// change runs fn on all threads, or, when the caller is a launch callback, on
// the launching thread alone.
func change(fn func(s scope) error) error {
	if onLaunchThread() {
		return fn(thisThread)
	}
	gate.Lock()
	for gate.changing || len(gate.launching) > 0 {
		gateOpened.Wait()
	}
	gate.changing = true
	gate.Unlock()
	defer func() {
		gate.Lock()
		gate.changing = false
		gate.Unlock()
		gateOpened.Broadcast()
	}()
	return fn(allThreads)
}

func onLaunchThread() bool {
	gate.Lock()
	defer gate.Unlock()
	if len(gate.launching) == 0 {
		return false
	}
	_, ok := gate.launching[gettid()]
	return ok
}

// beginLaunch keeps changes of the process away until endLaunch. nested tells
// that a launch callback asks, whose own launch already does so.
func beginLaunch(tid int, nested bool) {
	gate.Lock()
	defer gate.Unlock()
	for gate.changing && !nested {
		gateOpened.Wait()
	}
	if gate.launching == nil {
		gate.launching = map[int]struct{}{}
	}
	gate.launching[tid] = struct{}{}
}

func endLaunch(tid int) {
	gate.Lock()
	delete(gate.launching, tid)
	gate.Unlock()
	gateOpened.Broadcast()
}
