package cred_test

import (
	"fmt"

	"caprun/engine/cred"
)

// A launcher passes one capability on to a user.
func Example() {
	const bind = 10 // CAP_NET_BIND_SERVICE
	one := cred.CapsOf(bind)

	c := cred.Root()
	for _, step := range []func(cred.Cred) (cred.Cred, cred.Errno){
		func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setgroups(nil) },
		func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setresgid(33, 33, 33) },
		func(c cred.Cred) (cred.Cred, cred.Errno) { return c.SetKeepCaps(true) },
		func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setresuid(33, 33, 33) },
		func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Capset(one, one, one) },
		func(c cred.Cred) (cred.Cred, cred.Errno) { return c.RaiseAmbient(bind) },
	} {
		var errno cred.Errno
		if c, errno = step(c); errno != 0 {
			fmt.Println(errno)
			return
		}
	}

	ordinary, _, _ := c.Exec(cred.File{}, cred.Latest())
	fmt.Printf("ordinary file: permitted %v, effective %v\n", ordinary.Permitted, ordinary.Effective)

	withCaps, _, _ := c.Exec(cred.File{HasCaps: true}, cred.Latest())
	fmt.Printf("file with an empty capability attribute: permitted %v\n", withCaps.Permitted)

	// Output:
	// ordinary file: permitted cap_net_bind_service, effective cap_net_bind_service
	// file with an empty capability attribute: permitted none
}

// Root regains at exec what it dropped before, unless noroot or smaller sets prevent it.
func ExampleCred_Exec() {
	empty, _ := cred.Root().Capset(0, 0, 0)
	noRoot, _ := cred.Root().SetSecurebits(cred.SecNoRoot, cred.Latest())

	for _, c := range []cred.Cred{empty, empty.SetNoNewPrivs(), noRoot} {
		after, _, errno := c.Exec(cred.File{}, cred.Latest())
		fmt.Printf("%v %v\n", after.Permitted, errno)
	}

	// Output:
	// all success
	// none success
	// none success
}

func ExampleCred_Diff() {
	before := cred.Root()
	after, _ := before.Setuid(33)
	fmt.Println(before.Diff(after))
	// Output: [UID EUID SUID FSUID Permitted Effective]
}
