package engine_test

import (
	"fmt"
	"os"

	"caprun/engine"
	"caprun/internal/test/reexec"
	"caprun/policy"
)

// launch replaces this process with the program of a profile, or returns why not.
func launch(name string, text []byte) error {
	p, diagnostics := policy.Parse(name, text)
	if p == nil {
		return fmt.Errorf("%v", diagnostics)
	}
	plan, err := engine.Prepare(p, nil, nil)
	if err != nil {
		return err
	}
	return plan.Exec()
}

// A program that launches makes three calls: policy.Parse, Prepare and Plan.Exec. The
// target replaces the process, so this example launches in a child.
func ExamplePrepare() {
	child := reexec.Command("example launch")
	out, err := child.CombinedOutput()
	fmt.Printf("%s%v\n", out, err)

	// Output:
	// hello
	// <nil>
}

// The child is this test binary, which then calls the function instead of the tests.
func init() {
	engine.ChildRoles["example launch"] = func() {
		err := launch("hello.yaml", []byte(`version: 1
command: [/bin/echo, hello]
no_new_privs: true
umask: "0077"
`))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
