package cap

import "sync"

// gate serializes changes of the credentials of the process. A change on all threads
// excludes other changes and every launch. Launches, each on its own thread, may run
// at the same time.
var gate struct {
	sync.Mutex
	changing bool

	// inFlight counts the launches whose thread may still exist. A change waits
	// until it is 0: threads may be empty earlier, see leaveLaunchThread.
	inFlight int

	// threads holds the IDs of the threads on which launches run code. A change
	// that is made there applies only to that thread.
	threads map[int]struct{}
}

var gateOpened = sync.Cond{L: &gate}

// change calls fn with allThreads, or with thisThread if it is called by a launch
// callback.
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

// beginLaunch blocks changes of the process until endLaunch. It is called on the
// thread of the launch, tid. nested says that the caller is a callback of another
// launch, which already blocks them.
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

// leaveLaunchThread is the last call of a launch on its thread. From then on the
// kernel may end the thread and use its ID again, for a thread whose changes apply to
// the whole process.
func leaveLaunchThread(tid int) {
	gate.Lock()
	defer gate.Unlock()
	delete(gate.threads, tid)
}

// endLaunch must be called when the thread of a launch has ended.
func endLaunch() {
	gate.Lock()
	gate.inFlight--
	gate.Unlock()
	gateOpened.Broadcast()
}
