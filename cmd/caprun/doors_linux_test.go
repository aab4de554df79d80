package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestClosedDescriptors starts caprun with every combination of 0, 1 and 2 closed. The
// target has the null device instead, and no file of caprun.
func TestClosedDescriptors(t *testing.T) {
	sh := requires.Tool(t, "sh")
	profile := profileFile(t, plainProfile+"keep_fds: [3]\n")
	runas := program(t, "caprun/internal/test/runas")
	// A shell that redirects its own output would move descriptors.
	const script = `x=$(for n in 0 1 2; do readlink /proc/$$/fd/$n; done); echo "$x" >&3`
	for choice := range 8 {
		args := []string{"pid"}
		for n := range 3 {
			if choice&(1<<n) != 0 {
				args = append(args, fmt.Sprintf("close=%d", n))
			}
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(runas, append(args, "--", caprun(t), "-profile", profile, "--", sh, "-c", script)...)
		cmd.ExtraFiles = []*os.File{w}
		_, errs, status := outcome(t, cmd)
		w.Close()
		text := make([]byte, 4096)
		n, _ := r.Read(text)
		r.Close()
		lines := strings.Fields(string(text[:n]))
		if status != 0 || len(lines) != 3 {
			t.Errorf("%v: status %d, %q, %s", args[1:], status, lines, errs)
			continue
		}
		for n := range 3 {
			if null := lines[n] == os.DevNull; null != (choice&(1<<n) != 0 || n == 0) {
				t.Errorf("%v: descriptor %d is %s", args[1:], n, lines[n])
			}
		}
	}
}

// TestClosedDescriptorsWithoutNull starts caprun with a closed descriptor and without
// /dev/null: the Go runtime exits before main.
func TestClosedDescriptorsWithoutNull(t *testing.T) {
	requires.Root(t)
	root := t.TempDir()
	runas := program(t, "caprun/internal/test/runas")
	creds := program(t, "caprun/internal/test/creds")
	for n := range 3 {
		args := []string{"copy=" + caprun(t) + ":" + root + "/caprun", "copy=" + creds + ":" + root + "/creds", "chroot=" + root, "cwd=/",
			fmt.Sprintf("close=%d", n), "--", "/caprun", "-profile", "builtin:nobody", "--", "/creds"}
		out, errs, status := outcome(t, exec.Command(runas, args...))
		if status != 2 || out != "" || n != 2 && !strings.Contains(errs, "cannot open standard fds") {
			t.Errorf("without %d: status %d\n%s%s", n, status, out, errs)
		}
	}
}

// TestSocketActivation passes a listening socket on as systemd does.
func TestSocketActivation(t *testing.T) {
	sh := requires.Tool(t, "sh")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", socket.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	const target = `test "$LISTEN_PID" = $$ && echo "$LISTEN_FDS $LISTEN_FDNAMES" && readlink /proc/$$/fd/3`
	for text, want := range map[string]string{
		plainProfile + "keep_fds: [3]\n": "1 web\n" + name + "\n",
		plainProfile:                     "1 web\n",
	} {
		cmd := exec.Command(sh, "-c", `LISTEN_FDS=1 LISTEN_FDNAMES=web LISTEN_PID=$$ exec "$@"`, "sh",
			caprun(t), "-profile", profileFile(t, text), "--", sh, "-c", target)
		cmd.ExtraFiles = []*os.File{socket}
		if out, errs, _ := outcome(t, cmd); out != want || errs != "" {
			t.Errorf("%q: got %q, want %q\n%s", text, out, want, errs)
		}
	}
}

// TestSecureModeReadsNothing: caprun installed set-user-ID, set-group-ID or with file
// capabilities exits before it opens the profile.
func TestSecureModeReadsNothing(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	runas := program(t, "caprun/internal/test/runas")
	dir, err := os.MkdirTemp(scriptRoot(t), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(dir, "p.yaml")
	if err := os.WriteFile(profile, []byte(plainProfile), 0o644); err != nil {
		t.Fatal(err)
	}
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	if _, err := unix.InotifyAddWatch(watch, profile, unix.IN_OPEN|unix.IN_ACCESS); err != nil {
		t.Fatal(err)
	}
	forms := []string{"-profile", "-dry-run", "check", "explain"}
	binary := filepath.Join(dir, "caprun")
	for _, c := range []struct {
		name, make string
		reason     string // empty if caprun runs
	}{
		{"ordinary", "mode=755:" + binary, ""},
		{"set-user-ID", "mode=4755:" + binary, "caprun is set-user-ID, so caprun cannot trust its caller; remove that with chmod u-s, and start caprun as root"},
		{"set-group-ID", "mode=2755:" + binary, "caprun is set-group-ID, so"},
		{"set-user-ID for another user", "owner=3306.3306:" + binary + " mode=4755:" + binary, "caprun is set-user-ID, so"},
		{"permitted capabilities", "filecaps=0x400,0:" + binary, "caprun has file capabilities, so"},
		{"effective capabilities", "filecaps=0x400,0,e:" + binary, "caprun has file capabilities, so"},
		{"an empty effective set", "filecaps=0,0,e:" + binary, "caprun has file capabilities, so caprun cannot trust its caller; remove that with setcap -r, and"},
		{"both", "mode=6755:" + binary + " filecaps=0x400,0:" + binary, "caprun is set-user-ID and is set-group-ID and has file capabilities, so caprun cannot trust its caller; remove that with chmod u-s, chmod g-s, setcap -r, and"},
		// These grant nothing, so the kernel does not set AT_SECURE.
		{"no capabilities", "filecaps=0,0:" + binary, ""},
		{"set-group-ID without execute permission", "mode=2745:" + binary, ""},
	} {
		args := append([]string{"copy=" + caprun(t) + ":" + binary, "owner=0.0:" + binary, "mode=755:" + binary}, strings.Fields(c.make)...)
		for _, form := range forms {
			run := []string{"nobody", "--", binary, form, profile}
			switch form {
			case "-profile":
				run = append(run, "--", "/bin/true")
			case "-dry-run":
				run = []string{"nobody", "--", binary, "-dry-run", "-profile", profile, "--", "/bin/true"}
			}
			_, errs, status := outcome(t, exec.Command(runas, append(args, run...)...))
			events := make([]byte, 4096)
			n, _ := unix.Read(watch, events)
			if c.reason == "" {
				if n <= 0 || status == exitRefused {
					t.Errorf("%s, %s: status %d, the profile was not read\n%s", c.name, form, status, errs)
				}
				continue
			}
			if n > 0 || status != exitRefused || !strings.Contains(errs, c.reason) {
				t.Errorf("%s, %s: status %d, %d bytes of events\n%s", c.name, form, status, n, errs)
			}
		}
		os.Remove(binary)
	}
}
