// Command web is a small HTTP server that prints its credentials. Try it with and
// without caprun:
//
//	go build -o web ./examples/web
//	caprun -profile builtin:web -- ./web -listen 127.0.0.1:80
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"caprun/cap"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:80", "address and port to listen on")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("pid %d listens on http://%s", os.Getpid(), l.Addr())
	server := &http.Server{Handler: http.HandlerFunc(show), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.Serve(l))
}

func show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := credentials(w); err != nil {
		log.Print(err)
	}
}

// credentials prints the credentials of the process.
func credentials(w io.Writer) error {
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	const prGetNoNewPrivs = 39
	noNewPrivs, err := cap.Prctl(prGetNoNewPrivs)
	if err != nil {
		return err
	}
	securebits := strings.Join(cap.GetSecbits().Names(), ",")
	if securebits == "" {
		securebits = "none"
	}
	_, err = fmt.Fprintf(w, `pid           %d
uid, gid      %d, %d
groups        %v
capabilities  %q
IAB           %q
securebits    %s
no_new_privs  %d
`, os.Getpid(), os.Getuid(), os.Getgid(), groups, cap.GetProc(), cap.IABGetProc(), securebits, noNewPrivs)
	return err
}
