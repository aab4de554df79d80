package observe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

// leaveProbes opens an observer with probes, prints their names, and waits to be killed.
func leaveProbes() {
	pid, err := strconv.Atoi(os.Getenv("TARGET"))
	exitOn(err)
	obs, err := Open(pid, Options{probes: true})
	exitOn(err)
	fmt.Println(obs.points.probes.check, obs.points.probes.result)
	time.Sleep(time.Hour)
}

// TestRemoveProbes kills an observer. Its probes are removed, and those of others are not.
func TestRemoveProbes(t *testing.T) {
	requireRecording(t)
	if err := RemoveProbes(); err != nil {
		t.Fatal(err) // also on a kernel without probes
	}
	if !methodsOf(t).probes {
		return // TestOpenFails has the error
	}
	trace, err := openTracefs()
	if err != nil {
		t.Fatal(err)
	}
	defer trace.close()
	others := []string{"caprun_test/other", "caprun/other", "caprun/check_1_0"}
	for _, name := range others {
		if err := trace.command(probeEvents, "p:"+name+" cap_capable"); err != nil {
			t.Fatal(err)
		}
		defer trace.command(probeEvents, "-:"+name)
	}
	target := start(t, role("chown", "FILE="+newFile(t)))
	own, err := Open(target.pid(), Options{probes: true})
	if err != nil {
		t.Fatal(err)
	}

	cmd := reexec.Command("probes")
	cmd.Env = append(cmd.Env, "TARGET="+strconv.Itoa(target.pid()))
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var check, result string
	if _, err := fmt.Fscan(output, &check, &result); err != nil {
		t.Fatal(err)
	}
	list := func() string {
		text, err := trace.read(probeEvents)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if err := RemoveProbes(); err != nil {
		t.Error(err)
	}
	if text := list(); !strings.Contains(text, check) || !strings.Contains(text, result) {
		t.Errorf("probes of a running observer are missing in\n%s", text)
	}
	if err := cmd.Process.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Its end, not its disappearance: it is a zombie until Wait.
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if err := RemoveProbes(); err != nil {
		t.Error(err)
	}
	text := list()
	if strings.Contains(text, check) || strings.Contains(text, result) {
		t.Errorf("probes of a killed observer remain in\n%s", text)
	}
	for _, name := range append(others, "caprun/"+own.points.probes.check, "caprun/"+own.points.probes.result) {
		if !strings.Contains(text, ":"+name+" ") {
			t.Errorf("the probe %s is missing in\n%s", name, text)
		}
	}
	cmd.Wait()
	target.run(t)
	rec, err := own.Close()
	if err != nil {
		t.Fatal(err)
	}
	if len(chowns(rec)) == 0 {
		t.Error("the other observer recorded nothing")
	}
	if text := list(); strings.Contains(text, own.points.probes.check) || strings.Contains(text, own.points.probes.result) {
		t.Errorf("probes remain after Close in\n%s", text)
	}
}
