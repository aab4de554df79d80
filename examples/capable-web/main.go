//go:build linux

// Command capable-web is an HTTP server that any user can start on a port
// below 1024, without root. Its file has two capabilities:
//
//	cap_setpcap,cap_net_bind_service=p
//
// They are permitted, not effective: the server raises cap_net_bind_service for a
// single call. Before it answers requests, it uses cap_setpcap to drop both, and
// every way to gain a capability again. Its user never changes. The README walks
// through it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"caprun/cap"
)

func main() {
	port := flag.Uint("port", 0, "listen on this `port` of 127.0.0.1, 1 to 65535")
	skip := flag.Bool("skip", false, "use no capability; a port below 1024 is then refused")
	flag.Parse()
	log.Fatal(run(*port, *skip))
}

// run returns only when it fails.
func run(port uint, skip bool) error {
	if err := ordinaryUser(); err != nil {
		return err
	}
	if port < 1 || port > 65535 {
		return errors.New("flag -port is required: a number from 1 to 65535")
	}
	address := net.JoinHostPort("127.0.0.1", strconv.FormatUint(uint64(port), 10))
	listener, err := listen(address, skip)
	if err != nil {
		return err
	}
	if err := dropPrivileges(skip); err != nil {
		return fmt.Errorf("drop every capability: %w", err)
	}
	log.Printf("pid %d serves http://%s/", os.Getpid(), address)
	server := &http.Server{Handler: http.HandlerFunc(hello), ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(listener)
}

// ordinaryUser refuses root and set-user-ID files, which give far too much privilege
// and would hide that the file capabilities are missing.
func ordinaryUser() error {
	if os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return fmt.Errorf("the file is set-user-ID or set-group-ID: uid %d became %d, gid %d became %d; give it file capabilities instead",
			os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid())
	}
	if os.Getuid() == 0 {
		return errors.New("running as root, which a port does not require; start it as an ordinary user")
	}
	return nil
}

// listen binds the address with cap_net_bind_service, which is effective for
// that call only. Go may run it on any thread, so the capability is raised on
// all of them.
func listen(address string, skip bool) (listener net.Listener, err error) {
	if skip {
		return net.Listen("tcp", address)
	}
	// cap_setpcap is for dropPrivileges.
	need, err := cap.FromText("cap_setpcap,cap_net_bind_service=p")
	if err != nil {
		return nil, err
	}
	have := cap.GetProc()
	for _, c := range []cap.Value{cap.SETPCAP, cap.NET_BIND_SERVICE} {
		permitted, err := have.GetFlag(cap.Permitted, c)
		if err != nil {
			return nil, err
		}
		if !permitted {
			return nil, fmt.Errorf("missing capabilities for a low port: need %q, have %q", need, have)
		}
	}
	raised, err := have.Dup()
	if err != nil {
		return nil, err
	}
	if err := raised.SetFlag(cap.Effective, true, cap.NET_BIND_SERVICE); err != nil {
		return nil, err
	}
	if err := raised.SetProc(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, have.SetProc()) }()
	return net.Listen("tcp", address)
}

// dropPrivileges drops every capability on every thread. The mode also makes it
// impossible to gain one again, for programs that this one starts too. It requires
// cap_setpcap, which the server may not have with -skip.
func dropPrivileges(skip bool) error {
	if skip {
		return cap.NewSet().SetProc()
	}
	return cap.ModeNoPriv.Set()
}

// hello prints the process and thread that answer. Linux keeps capabilities per thread,
// so hello reads them on the thread that it names.
func hello(w http.ResponseWriter, _ *http.Request) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	text := fmt.Sprintf("Hello from process %d, thread %d, caps=%q", os.Getpid(), syscall.Gettid(), cap.GetProc())
	log.Print(text)
	if _, err := fmt.Fprintln(w, text); err != nil {
		log.Print(err)
	}
}
