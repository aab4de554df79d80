package policy_test

import (
	"fmt"

	"caprun/policy"
)

// Parse reports every error of a profile with its position.
func ExampleParse() {
	const text = `version: 1
uid: 33
caps: cap_net_bind_servce=eip
no_new_priv: true
`
	p, diagnostics := policy.Parse("web.yaml", []byte(text))
	fmt.Println("accepted:", p != nil)
	for _, d := range diagnostics {
		fmt.Println(d.File, d.Position, d.Severity, d.Rule)
	}

	// Output:
	// accepted: false
	// web.yaml 2:1 error missing-gid
	// web.yaml 3:7 error unknown-capability
	// web.yaml 4:1 error unknown-key
}
