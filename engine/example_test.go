package engine_test

import (
	"fmt"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// Compile plans for any caller and any program, on every system. Here root starts an
// ordinary program.
func ExampleCompile() {
	const text = `version: 1
uid: 33
gid: 33
caps: cap_net_bind_service=eip
no_new_privs: true
`
	p, diagnostics := policy.Parse("web.yaml", []byte(text))
	if p == nil {
		fmt.Println(diagnostics)
		return
	}
	plan, diagnostics := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		fmt.Println(diagnostics)
		return
	}
	fmt.Println("route:", plan.Route)
	fmt.Println("uid:", plan.AfterExec.UID)
	fmt.Println("permitted:", plan.AfterExec.Permitted)
	fmt.Println("bounding:", plan.AfterExec.Bounding)

	// Output:
	// route: ambient
	// uid: 33
	// permitted: cap_net_bind_service
	// bounding: cap_net_bind_service
}
