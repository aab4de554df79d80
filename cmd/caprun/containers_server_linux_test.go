package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestContainerServer runs a server on a port below 1024 in a container with a network
// namespace, and requests its credentials from there.
func TestContainerServer(t *testing.T) {
	requires.Heavy(t)
	eachRuntime(t, func(t *testing.T, r ociRuntime, dir string, images map[bool]string) {
		s := containerStart{caps: asRoot(composeRecipe(t).Add...), noNewPrivs: true}

		// Another user, for whom the platform added the capability.
		other := s
		other.user, other.caps = ociUser{UID: 65532, GID: 65532}, asOther("NET_BIND_SERVICE")
		config := other.config(r, dir, images)
		config.Linux.Namespaces = append(config.Linux.Namespaces, ociNamespace{"network"})
		config.Process.Args = []string{"/server", "-listen", ":80"}
		if got := r.run(t, config); got.Status == 0 || !strings.Contains(got.Stderr, "permission denied") {
			t.Errorf("without caprun: status %d, %s", got.Status, got.Stderr)
		}

		config = s.config(r, dir, images)
		config.Linux.Namespaces = append(config.Linux.Namespaces, ociNamespace{"network"})
		for _, launcher := range [][]string{{"/caprun", "-profile", "/etc/caprun/web.yaml", "--"}, {launcherOf("/etc/caprun/web.yaml")}} {
			config.Process.Args = append(launcher, "/server", "-listen", ":80")
			answer := r.serve(t, config)
			for _, want := range []string{
				"uid, gid      65532, 65532\n", "groups        [65532]\n", "capabilities  \"cap_net_bind_service=eip\"\n",
				"securebits    noroot,noroot_locked\n", "no_new_privs  1\n",
			} {
				if !strings.Contains(answer, want) {
					t.Errorf("%s: the answer lacks %q", launcher[0], want)
				}
			}
			t.Log(answer)
		}
	})
}

// serve starts a container, requests the page of its server on port 80 and ends it.
func (r ociRuntime) serve(t *testing.T, c ociConfig) string {
	t.Helper()
	cmd, pidFile := r.start(t, c)
	messages, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	first, err := bufio.NewReader(messages).ReadString('\n')
	if err != nil || !strings.Contains(first, "listens") {
		_ = cmd.Wait()
		t.Fatalf("the server does not listen: %s%v", first, err)
	}
	// The server may start before the runtime has written the file.
	var pid []byte
	for deadline := time.Now().Add(hangs); len(pid) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		pid, err = os.ReadFile(pidFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result)
	go func() {
		// The thread stays in the other network namespace, and ends with the goroutine.
		runtime.LockOSThread()
		text, err := askInside(string(pid))
		done <- result{text, err}
	}()
	got := <-done
	number, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err == nil {
		err = syscall.Kill(number, syscall.SIGKILL)
	}
	_ = cmd.Wait()
	if err := errors.Join(got.err, err); err != nil {
		t.Fatal(err)
	}
	return got.text
}

// askInside requests the page of the server in the network namespace of a process.
func askInside(pid string) (string, error) {
	fd, err := unix.Open("/proc/"+strings.TrimSpace(pid)+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return "", err
	}
	conn, err := net.DialTimeout("tcp4", "127.0.0.1:80", hangs)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(hangs)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return string(text), err
}
