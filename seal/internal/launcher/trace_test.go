package launcher_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"caprun/internal/test/command"
	"caprun/seal/internal/interp"
	"caprun/seal/internal/interp/kernel"
)

// TestTrace prints the system calls of scene number CAPRUN_TEST_TRACE.
func TestTrace(t *testing.T) {
	index, err := strconv.Atoi(os.Getenv("CAPRUN_TEST_TRACE"))
	if err != nil {
		t.Skip("CAPRUN_TEST_TRACE is not set to the index of a scene")
	}
	s := newScene(command.Number(t, "CAPRUN_TEST_SEED", 1), index)
	p, err := s.build()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := interp.New(p, s.start)
	k := kernel.New(s.world, s.task)
	fmt.Printf("%v\ncaprun refuses: %q\n", s, s.reason)
	for n := 0; ; n++ {
		call, err := m.Next()
		if err != nil {
			t.Fatal(err)
		}
		r, err := k.Syscall(call.Sys, call.Args, &m.Memory)
		fmt.Printf("%d %v %x = %d %v\n", n, call.Sys, call.Args, r, err)
		if err != nil {
			break
		}
		m.Return(r)
	}
	fmt.Printf("%s\n", k.Messages)
}
