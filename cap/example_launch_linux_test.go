package cap_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"syscall"

	"caprun/cap"
)

// A launched program runs beside its parent, with a privilege of its own: here
// one that nothing can raise again. The parent waits for it.
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

// A function that needs no privilege can run without any, while the rest of
// the process keeps its own.
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

// Exec replaces the process. It returns only if it could not.
func ExampleLauncher_Exec() {
	l := cap.NewLauncher("/usr/bin/id", []string{"id"}, nil)
	l.SetUID(65534)
	l.SetGroups(65534, nil)
	l.SetMode(cap.ModeNoPriv)
	l.SetDescriptors(nil)
	log.Fatal(l.Exec())
}

// A capability that is permitted is made effective for one call, on all
// threads, and lowered again.
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

// The program may raise one capability, but starts without. It takes
// CAP_SETFCAP to say so.
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
	if err := none.SetFile(path); err != nil { // and takes them away again
		log.Fatal(err)
	}
}

// What another process has, and what it hands on.
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

// A daemon that has opened what it needs becomes an ordinary user without
// any capability and without a way back. The order matters: the ids need
// capabilities, which the mode takes away.
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
