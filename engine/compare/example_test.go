package compare_test

import (
	"fmt"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/policy"
)

// plan compiles a profile for root as the caller and an ordinary program.
func plan(name, text string) *engine.Plan {
	p, diagnostics := policy.Parse(name, []byte(text))
	if p == nil {
		panic(fmt.Sprint(diagnostics))
	}
	plan, diagnostics := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		panic(fmt.Sprint(diagnostics))
	}
	return plan
}

// The new profile grants one more capability, and disables set-user-ID programs.
func ExampleCompare() {
	const ids = "version: 1\nuid: 33\ngid: 33\n"
	c := compare.Compare(
		plan("old.yaml", ids+"caps: cap_net_raw=eip\n"),
		plan("new.yaml", ids+"caps: cap_net_raw,cap_net_admin=eip\nno_new_privs: true\n"))
	fmt.Println("in all:", c.Order())
	for _, d := range c.Changed() {
		fmt.Printf("%s: %v -> %v (%v)\n", d.Dimension, d.Old, d.New, d.Order)
	}

	// Output:
	// in all: not comparable
	// effective: cap_net_raw -> cap_net_admin,cap_net_raw (more)
	// permitted: cap_net_raw -> cap_net_admin,cap_net_raw (more)
	// inheritable: cap_net_raw -> cap_net_admin,cap_net_raw (more)
	// ambient: cap_net_raw -> cap_net_admin,cap_net_raw (more)
	// bounding: cap_net_raw -> cap_net_admin,cap_net_raw (more)
	// regainable: cap_net_raw -> cap_net_admin,cap_net_raw (more)
	// no_new_privs: false -> true (less)
}
