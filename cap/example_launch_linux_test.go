package cap_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"syscall"

	"caprun/cap"
)

// The program runs as a child process, without any capability and without a way to gain
// one. The caller waits for it.
func ExampleLauncher_Launch() {
	l := cap.NewLauncher("/bin/echo", []string{"echo", "hello"}, nil)
	l.SetNoNewPrivs()
	l.Callback(func(pa *syscall.ProcAttr, data any) error {
		fmt.Println("launch", data)
		pa.Files[1] = os.Stdout.Fd()
		return nil
	})
	pid, err := l.Launch("one program")
	if err != nil {
		fmt.Println(err)
		return
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Println("status", status.ExitStatus())
	// Output:
	// launch one program
	// hello
	// status 0
}

// The function runs on a thread without capabilities. The other threads of the process
// keep theirs.
func ExampleFuncLauncher() {
	before := cap.GetProc().String()
	_, err := cap.FuncLauncher(func(data any) error {
		if err := cap.NewSet().SetProc(); err != nil {
			return err
		}
		fmt.Println(data, "on this thread", cap.GetProc())
		return nil
	}).Launch("capabilities")
	fmt.Println(err, cap.GetProc().String() == before)
	// Output:
	// capabilities on this thread =
	// <nil> true
}

// Exec replaces the process, and returns only if it fails.
func ExampleLauncher_Exec() {
	l := cap.NewLauncher("/usr/bin/id", []string{"id"}, nil)
	l.SetUID(65534)
	l.SetGroups(65534, nil)
	l.SetMode(cap.ModeNoPriv)
	l.SetDescriptors(nil)
	log.Fatal(l.Exec())
}

// A permitted capability is made effective on all threads for one call, and then lowered
// again.
func ExampleSet_SetProc() {
	before := cap.GetProc()
	raised, err := before.Dup()
	if err != nil {
		log.Fatal(err)
	}
	if err := raised.SetFlag(cap.Effective, true, cap.NET_BIND_SERVICE); err != nil {
		log.Fatal(err)
	}
	if err := raised.SetProc(); err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:80")
	if err := before.SetProc(); err != nil {
		log.Fatal(err)
	}
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
}

// The program gets one permitted capability, which is not effective when it starts.
// SetFile needs CAP_SETFCAP.
func ExampleSet_SetFile() {
	c, err := cap.FromText("cap_net_bind_service=p")
	if err != nil {
		log.Fatal(err)
	}
	const path = "/usr/local/bin/server"
	if err := c.SetFile(path); err != nil {
		log.Fatal(err)
	}
	got, err := cap.GetFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(path, got)

	var none *cap.Set
	if err := none.SetFile(path); err != nil { // removes the capabilities
		log.Fatal(err)
	}
}

// The capabilities of another process, and those that it passes on through exec.
func ExampleGetPID() {
	const pid = 1
	c, err := cap.GetPID(pid)
	if err != nil {
		log.Fatal(err)
	}
	iab, err := cap.IABGetPID(pid)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d: %q, IAB %q\n", pid, c, iab)
}

// A daemon that has opened its files becomes an unprivileged user without any capability
// and without a way to gain one. The IDs are set first, because that needs capabilities,
// which the mode removes.
func ExampleMode_Set() {
	if err := cap.SetGroups(65534); err != nil {
		log.Fatal(err)
	}
	if err := cap.SetUID(65534); err != nil {
		log.Fatal(err)
	}
	if err := cap.ModeNoPriv.Set(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cap.GetMode(), cap.GetProc()) // NOPRIV =
}
