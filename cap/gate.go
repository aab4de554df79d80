package cap

import "sync"

// gate orders what changes the credentials of the process. Changes on all
// threads exclude each other and every launch; launches, each on a thread of
// its own, run side by side.
var gate struct {
	sync.Mutex
	changing bool

	// inFlight counts the launches whose thread may still exist. It, and not
	// threads, keeps changes away: see leaveLaunchThread.
	inFlight int

	// threads has the ids of the threads on which launches run code: there a
	// change is for the thread alone.
	threads map[int]struct{}
}

var gateOpened = sync.Cond{L: &gate}

// change runs fn on all threads, or, when the caller is a launch callback, on
// the launching thread alone.
func change(fn func(s scope) error) error {
	if onLaunchThread() {
		return fn(thisThread)
	}
	gate.Lock()
	for gate.changing || gate.inFlight > 0 {
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
	if len(gate.threads) == 0 {
		return false
	}
	_, ok := gate.threads[gettid()]
	return ok
}

// beginLaunch keeps changes of the process away until endLaunch. It is called
// on the thread of the launch, tid. nested tells that a launch callback asks,
// whose own launch already does so.
func beginLaunch(tid int, nested bool) {
	gate.Lock()
	defer gate.Unlock()
	for gate.changing && !nested {
		gateOpened.Wait()
	}
	gate.inFlight++
	if gate.threads == nil {
		gate.threads = map[int]struct{}{}
	}
	gate.threads[tid] = struct{}{}
}

// leaveLaunchThread is the last call of a launch on its thread. From here on
// the kernel may end the thread and give its id to another one, whose changes
// are again for the whole process.
func leaveLaunchThread(tid int) {
	gate.Lock()
	defer gate.Unlock()
	delete(gate.threads, tid)
}

// endLaunch is called when the thread of a launch has ended.
func endLaunch() {
	gate.Lock()
	gate.inFlight--
	gate.Unlock()
	gateOpened.Broadcast()
}
