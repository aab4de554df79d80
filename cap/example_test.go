package cap_test

import (
	"errors"
	"fmt"

	"caprun/cap"
)

func Example() {
	c, err := cap.FromText("cap_net_bind_service,cap_setuid=p")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Fill(cap.Effective, cap.Permitted); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c)
	// Output: cap_setuid,cap_net_bind_service=ep
}

func ExampleFromText() {
	for _, text := range []string{
		"cap_chown,cap_setuid=ip cap_setuid+e",
		"cap_setuid=p cap_chown=i",
		"=p all+ei",
		"=ep-e",
		"cap_chown",
	} {
		c, err := cap.FromText(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(c)
	}
	// Output:
	// cap_setuid=eip cap_chown+ip
	// cap_chown=i
	// =eip
	// =p
	// bad text
}

func ExampleParseText() {
	_, err := cap.ParseText("=p cap_net_row+e", cap.NamedCount)
	var at *cap.TextError
	if errors.As(err, &at) {
		fmt.Println(at.Offset, at.Length, at.Word)
	}
	fmt.Println(err)
	// Output:
	// 3 11 cap_net_row
	// bad text: "cap_net_row" at byte 3: unknown capability
}

func ExampleSet_SetFlag() {
	c := cap.NewSet()
	if err := c.SetFlag(cap.Permitted, true, cap.NET_RAW, cap.KILL); err != nil {
		fmt.Println(err)
	}
	err := c.SetFlag(cap.Permitted, true, cap.CHOWN, 64)
	fmt.Println(c, err)
	// Output: cap_kill,cap_net_raw=p bad capability value
}

func ExampleSet_Cf() {
	a, err := cap.FromText("cap_kill=eip")
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := cap.FromText("cap_kill=ip")
	if err != nil {
		fmt.Println(err)
		return
	}
	diff, err := a.Cf(b)
	fmt.Println(diff.Has(cap.Effective), diff.Has(cap.Permitted), err)
	// Output: true false <nil>
}

func ExampleIABFromText() {
	iab, err := cap.IABFromText("!cap_sys_admin,^cap_net_raw,cap_kill")
	fmt.Println(iab, err)
	raised, err := iab.GetVector(cap.Inh, cap.NET_RAW)
	fmt.Println(raised, err)
	// Output:
	// cap_kill,^cap_net_raw,!cap_sys_admin <nil>
	// true <nil>
}

func ExampleImport() {
	c, err := cap.FromText("cap_kill=ep")
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := c.Export()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", data[:8])
	again, err := cap.Import(data)
	fmt.Println(again, err)
	// Output:
	// 90c2015108202000
	// cap_kill=ep <nil>
}

func ExampleSecbits_Names() {
	fmt.Println((cap.SecbitNoRoot | cap.SecbitNoRootLocked | 1<<12).Names())
	// Output: [noroot noroot_locked bit12]
}

func ExampleValue_Description() {
	fmt.Println(cap.NET_BIND_SERVICE.Description())
	// Output: Bind to privileged ports, by default those below 1024.
}

func ExampleIAB() {
	iab := cap.NewIAB()
	// An ambient capability is also inheritable.
	if err := iab.SetVector(cap.Amb, true, cap.NET_RAW); err != nil {
		fmt.Println(err)
	}
	if err := iab.SetVector(cap.Bound, true, cap.SYS_ADMIN, cap.NET_ADMIN); err != nil {
		fmt.Println(err)
	}
	fmt.Println(iab)
	// A capability that is not inheritable cannot be ambient.
	if err := iab.SetVector(cap.Inh, false, cap.NET_RAW); err != nil {
		fmt.Println(err)
	}
	fmt.Println(iab)
	// Output:
	// !cap_net_admin,^cap_net_raw,!cap_sys_admin
	// !cap_net_admin,!cap_sys_admin
}

func ExampleIAB_Cf() {
	a, err := cap.IABFromText("cap_kill,!cap_sys_admin")
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := cap.IABFromText("^cap_kill,!cap_sys_admin")
	if err != nil {
		fmt.Println(err)
		return
	}
	diff, err := a.Cf(b)
	fmt.Println(diff.Has(cap.Inh), diff.Has(cap.Amb), diff.Has(cap.Bound), err)
	// Output: false true false <nil>
}

func ExampleMode() {
	for m := cap.ModeNoPriv; m <= cap.ModeHybrid; m++ {
		fmt.Println(m)
	}
	_, err := cap.ModeFromText("UNCERTAIN")
	fmt.Println(err)
	// Output:
	// NOPRIV
	// PURE1E_INIT
	// PURE1E
	// HYBRID
	// unsupported mode: "UNCERTAIN"
}

func ExampleSecbitsFromName() {
	var bits cap.Secbits
	for _, name := range []string{"noroot", "noroot_locked", "no_setuid_fixup"} {
		bit, err := cap.SecbitsFromName(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		bits |= bit
	}
	fmt.Printf("%#x %v\n", uint(bits), bits == cap.SecbitNoRoot|cap.SecbitNoRootLocked|cap.SecbitNoSetUIDFixup)
	// Output: 0x7 true
}

func ExampleLauncher_Steps() {
	iab, err := cap.IABFromText("^cap_net_bind_service")
	if err != nil {
		fmt.Println(err)
		return
	}
	l := cap.NewLauncher("/usr/sbin/httpd", []string{"httpd", "-f"}, []string{"LANG=C"})
	l.SetUID(33)
	l.SetGroups(33, []int{33, 4})
	l.SetIAB(iab)
	l.SetNoNewPrivs()
	steps, err := l.Steps()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range steps {
		switch s.Kind {
		case cap.StepUID, cap.StepGID:
			fmt.Println(s.Kind, s.ID)
		case cap.StepGroups:
			fmt.Println(s.Kind, s.Groups)
		case cap.StepInheritable, cap.StepAmbient:
			fmt.Println(s.Kind, s.Caps)
		case cap.StepExec:
			fmt.Println(s.Kind, s.Path, s.Args, s.Env)
		default:
			fmt.Println(s.Kind)
		}
	}
	// Output:
	// raise the effective set
	// set groups [33 4]
	// set gid 33
	// set the inheritable set cap_net_bind_service
	// set uid 33
	// set the ambient set cap_net_bind_service
	// set no_new_privs
	// exec /usr/sbin/httpd [httpd -f] [LANG=C]
}
