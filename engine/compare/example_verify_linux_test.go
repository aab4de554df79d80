package compare_test

import (
	"bufio"
	"fmt"
	"os"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/machine"
	"caprun/internal/test/reexec"
	"caprun/policy"
)

// The profile of the process: cat, which waits for its input.
const catProfile = `version: 1
command: [/bin/cat]
no_new_privs: true
`

// verify compares a process with the profile that this process started it with.
func verify(pid int, name string, text []byte) (compare.Verdict, error) {
	p, diagnostics := policy.Parse(name, text)
	if p == nil {
		return 0, fmt.Errorf("%v", diagnostics)
	}
	caller, err := machine.CurrentCred()
	if err != nil {
		return 0, err
	}
	process, err := machine.ReadProcess(pid)
	if err != nil {
		return 0, err
	}
	v, err := compare.Verify(p, caller, process)
	if err != nil {
		return 0, err
	}
	return v.Verdict(), nil
}

// The process has exactly what its profile declares.
func ExampleVerify() {
	// A child that launches cat. What cat copies proves that the launch is over.
	child := reexec.Command("example launch")
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer child.Wait()
	defer in.Close()
	fmt.Fprintln(in, "launched")
	line, err := bufio.NewReader(out).ReadString('\n')
	fmt.Print(line)
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(verify(child.Process.Pid, "cat.yaml", []byte(catProfile)))

	// Output:
	// launched
	// same <nil>
}

// The child is this test binary, which then calls the function instead of the tests.
func init() {
	compare.ChildRoles["example launch"] = func() {
		p, _ := policy.Parse("cat.yaml", []byte(catProfile))
		plan, err := engine.Prepare(p, nil, nil)
		if err == nil {
			err = plan.Exec()
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
