package engine

import (
	"errors"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestParseCaller compares the credentials that texts stand for.
func TestParseCaller(t *testing.T) {
	all := cred.FirstCaps(41)
	setid := cred.CapsOf(cred.SETGID, cred.SETUID, cred.SETPCAP)
	as := func(uid, gid uint32, groups ...uint32) cred.Cred {
		return cred.Cred{
			UID: uid, EUID: uid, SUID: uid, FSUID: uid, GID: gid, EGID: gid, SGID: gid, FSGID: gid,
			Groups: groups, All: all, Bounding: all,
		}
	}
	with := func(c cred.Cred, change func(*cred.Cred)) cred.Cred { change(&c); return c }
	cases := map[string]cred.Cred{
		"root":               cred.Root(),
		"  root\t":           cred.Root(),
		"uid=0":              cred.Root(),
		"gid=0":              cred.Root(),
		"uid=1000":           as(1000, 0),
		"uid=4294967294":     as(4294967294, 0),
		"gid=7 groups=9,7,7": with(cred.Root(), func(c *cred.Cred) { *c = as(0, 7, 7, 7, 9); c.Permitted, c.Effective = all, all }),
		"cap_setgid,cap_setuid,cap_setpcap=ep": with(as(0, 0), func(c *cred.Cred) {
			c.Permitted, c.Effective, c.Bounding = setid, setid, setid
		}),
		"cap_setgid,cap_setuid=p  cap_setpcap+i": with(as(0, 0), func(c *cred.Cred) {
			c.Permitted, c.Inheritable, c.Bounding = setid.Without(cred.SETPCAP), cred.CapsOf(cred.SETPCAP), setid
		}),
		"=":              with(as(0, 0), func(c *cred.Cred) { c.Bounding = 0 }),
		"= bounding=all": as(0, 0),
		"all=ep":         cred.Root(),
		"=ep cap_setuid-ep": with(cred.Root(), func(c *cred.Cred) {
			c.Permitted = all.Without(cred.SETUID)
			c.Effective, c.Bounding = c.Permitted, c.Permitted
		}),
		"uid=5 cap_net_raw=eip": with(as(5, 0), func(c *cred.Cred) { c.Permitted, c.Effective, c.Inheritable = raw, raw, raw }),
		"uid=5 bounding=none":   with(as(5, 0), func(c *cred.Cred) { c.Bounding = 0 }),
		"bounding=cap_net_raw":  with(cred.Root(), func(c *cred.Cred) { c.Bounding = raw }),
		"uid=5 no_new_privs":    with(as(5, 0), func(c *cred.Cred) { c.NoNewPrivs = true }),
		"secbits=noroot_locked": with(cred.Root(), func(c *cred.Cred) { c.Securebits = cred.SecNoRootLocked }),
		"ambient=none":          cred.Root(),
		"uid=5 bounding=13,10":  with(as(5, 0), func(c *cred.Cred) { c.Bounding = raw | bind }),
		"secbits=keep_caps":     with(cred.Root(), func(c *cred.Cred) { c.Securebits = cred.SecKeepCaps }),
		"uid=5 cap_net_raw=eip ambient=cap_net_raw": with(as(5, 0), func(c *cred.Cred) {
			c.Permitted, c.Effective, c.Inheritable, c.Ambient = raw, raw, raw, raw
		}),
	}
	for text, want := range cases {
		got, err := ParseCaller(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := got.Diff(want); diff != nil {
			t.Errorf("%s: %v differ: %+v, want %+v", text, diff, got, want)
		}
	}
}

// TestParseCallerRefuses checks that the error names the wrong word and what to write.
func TestParseCallerRefuses(t *testing.T) {
	cases := map[string][]string{
		"":                                   {"missing credentials", "uid=1000"},
		" \n":                                {"missing credentials"},
		"root uid=0":                         {`"root"`, "alone"},
		"current":                            {`"current"`},
		"uid=5 current":                      {`"current"`, "alone"},
		"uid":                                {`"uid"`, "decimal number"},
		"uid=":                               {`"uid="`, "decimal number"},
		"uid=007":                            {`"uid=007"`, "decimal number"},
		"uid=-1":                             {`"uid=-1"`, "4294967294"},
		"uid=4294967295":                     {`"uid=4294967295"`, "4294967294"},
		"uid=nobody":                         {`"uid=nobody"`, "decimal number"},
		"uid=5 uid=5":                        {`"uid=5"`, "duplicate uid"},
		"no_new_privs no_new_privs":          {"duplicate no_new_privs"},
		"no_new_privs=true":                  {`"no_new_privs=true"`, "no value"},
		"gid=1,2":                            {`"gid=1,2"`},
		"groups=1,,2":                        {`"groups=1,,2"`, `""`},
		"secbits=noroots":                    {`"secbits=noroots"`, "noroot,noroot_locked"},
		"bounding=cap_net_row":               {`"bounding=cap_net_row"`, `"cap_net_row"`},
		"bounding=all,cap_kill":              {`"all"`},
		"uid=5 cap_net_row=ep":               {`"cap_net_row=ep"`, "unknown capability"},
		"uid=5 foo=bar":                      {`"foo=bar"`, "no_new_privs"},
		"uid=5 cap_net_raw":                  {`"cap_net_raw"`},
		"cap_net_raw=e":                      {"cap_net_raw", "effective but not permitted", "add p"},
		"uid=5 ambient=cap_kill":             {`"ambient=cap_kill"`, "cap_kill is ambient but not permitted and inheritable", "cap_kill=eip"},
		"cap_kill=ep ambient=cap_kill":       {"cap_kill is ambient but not permitted and inheritable"},
		"45=ep":                              {`"45=ep"`, "Linux 6.18"},
		"bounding=63":                        {"bounding=63", "Linux 6.18"},
		strings.Repeat("1", maxCallerText+1): {"credentials are 16385 bytes; the limit is 16384"},
		"uid=" + strings.Repeat("9", 500):    {"..."},
	}
	for text, want := range cases {
		c, err := ParseCaller(text)
		var bad *machine.Error
		if !errors.As(err, &bad) || !c.Equal(cred.Cred{}) {
			t.Errorf("%.40q: %v, %+v", text, err, c)
			continue
		}
		if len(err.Error()) > 500 {
			t.Errorf("%.40q: a message of %d bytes", text, len(err.Error()))
		}
		for _, s := range want {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%.40q: %q is missing in: %v", text, s, err)
			}
		}
	}
}

// TestKernel parses versions, and credentials for versions that lack capabilities.
func TestKernel(t *testing.T) {
	for text, want := range map[string]Kernel{"5.8": {5, 8}, "6.12": {6, 12}, "6.12.3": {6, 12}, "6.18.0": {6, 18}, "7.0": {7, 0}, "999.999.999": {999, 999}} {
		if k, err := ParseKernel(text); err != nil || k != want {
			t.Errorf("%s is %v, %v", text, k, err)
		}
	}
	for _, text := range []string{"", "6", "6.", ".12", "6.12.", "6.12.3.4", "6.12-rc1", "06.12", "6.012", "+6.12", "6.-1", "6,12", "1000.0", "v6.12", " 6.12", "5.7", "4.19.2", "0.0"} {
		if k, err := ParseKernel(text); err == nil {
			t.Errorf("%q is %v", text, k)
		}
	}
	if k := (Kernel{6, 19}); !k.NewerThanLatest() || (Kernel{6, 18}).NewerThanLatest() || (Kernel{6, 12}).NewerThanLatest() || !(Kernel{7, 0}).NewerThanLatest() {
		t.Error("NewerThanLatest is wrong for some version")
	}
	for k, count := range map[Kernel]int{{5, 8}: 40, {5, 9}: 41, {6, 18}: 41} {
		c, err := k.ParseCaller("root")
		if want := cred.FirstCaps(count); err != nil || c.All != want || c.Permitted != want || c.Effective != want || c.Bounding != want {
			t.Errorf("%v: %+v, %v", k, c, err)
		}
		c, err = k.ParseCaller("all=ep")
		if err != nil || c.Permitted != cred.FirstCaps(count) {
			t.Errorf("%v: all is %s, %v", k, c.Permitted.String(), err)
		}
	}
	old, late := Kernel{5, 8}, Kernel{6, 14}
	for _, text := range []string{"cap_checkpoint_restore=ep", "bounding=40", "secbits=exec_restrict_file"} {
		if _, err := old.ParseCaller(text); err == nil || !strings.Contains(err.Error(), "Linux 5.8 does not have") {
			t.Errorf("5.8: %s: %v", text, err)
		}
		if _, err := late.ParseCaller(text); err != nil {
			t.Errorf("6.14: %s: %v", text, err)
		}
	}
	mine := cred.Root()
	mine.All, mine.Bounding = cred.FirstCaps(43), cred.FirstCaps(43)
	mine.Securebits = cred.SecNoRoot | cred.SecExecRestrictFile
	if got := (Kernel{6, 12}).Restrict(mine); got.All != cred.FirstCaps(41) || got.Bounding != cred.FirstCaps(41) || got.Securebits != cred.SecNoRoot {
		t.Errorf("Restrict returns %+v", got)
	}
}

// TestKernelLacks checks that a refusal names what the kernel lacks, not a consequence.
func TestKernelLacks(t *testing.T) {
	old := Kernel{5, 8}
	from := old.Restrict(cred.Root())
	to := Target{KernelRules: old.Rules()}
	for text, line := range map[string]int{
		"uid: 0\ngid: 0\ncaps: cap_checkpoint_restore=ep":  4,
		"uid: 3\ngid: 3\ncaps: cap_checkpoint_restore=eip": 4,
		"uid: 3\ngid: 3\ncaps: cap_checkpoint_restore=i":   4,
		"uid: 0\ngid: 0\ncaps: all=ep":                     4,
		"uid: 0\ngid: 0\ncaps: cap_checkpoint_restore=p":   4,
		"iab: ^cap_checkpoint_restore":                     2,
	} {
		_, diagnostics := Compile(parse(t, text), from, to)
		if len(diagnostics) != 1 || diagnostics[0].Rule != rules[ruleUnknownToOS].Name || diagnostics[0].Line != line {
			t.Errorf("%s: %v", text, diagnostics)
		}
	}
	for _, text := range []string{"uid: 3\ngid: 3\niab: \"!cap_checkpoint_restore\"", "uid: 3\ngid: 3\ncaps: cap_bpf=eip"} {
		if plan, diagnostics := Compile(parse(t, text), from, to); plan == nil {
			t.Errorf("%s: %v", text, diagnostics)
		}
	}
}

// FuzzParseCaller checks that no text panics, and that the result is a state that the
// kernel allows.
func FuzzParseCaller(f *testing.F) {
	for _, text := range []string{
		"root", "uid=1000 gid=1000 groups=4,24", "cap_setuid,cap_setgid=ep secbits=noroot,noroot_locked no_new_privs",
		"uid=5 cap_net_raw=eip ambient=cap_net_raw bounding=none", "=ep cap_kill-e", "uid=0 45=p", "ambient=all =eip",
	} {
		f.Add(text, 12)
	}
	f.Fuzz(func(t *testing.T, text string, minor int) {
		k := Kernel{6, minor & 31}
		c, err := k.ParseCaller(text)
		if err != nil {
			var bad *machine.Error
			if !errors.As(err, &bad) || len(err.Error()) > 2000 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		switch {
		case !c.Effective.SubsetOf(c.Permitted), !c.Ambient.SubsetOf(c.Permitted.Intersect(c.Inheritable)):
			t.Fatalf("%q breaks an invariant of the kernel: %+v", text, c)
		case !c.Effective.Union(c.Permitted).Union(c.Inheritable).Union(c.Bounding).SubsetOf(c.All) || c.All != k.Caps():
			t.Fatalf("%q has a capability that the kernel lacks: %+v", text, c)
		case c.UID == cred.NoID || c.GID == cred.NoID || c.Securebits&^k.Securebits() != 0:
			t.Fatalf("%q: %+v", text, c)
		}
		if again := k.Restrict(c); !again.Equal(c) {
			t.Fatalf("%q has what the kernel lacks: %+v", text, c)
		}
	})
}

// TestCapabilityCount checks that the newest kernel has exactly the named capabilities.
func TestCapabilityCount(t *testing.T) {
	if LatestKernel().Caps() != cred.FirstCaps(cap.NamedCount) {
		t.Error("the newest kernel has other capabilities than the named ones")
	}
}

// TestKernelNamed checks that a refusal names the versions that have what the kernel lacks.
func TestKernelNamed(t *testing.T) {
	const secbits = "uid: 33\ngid: 33\nsecbits: "
	for _, c := range []struct {
		kernel     Kernel
		text, want string
	}{
		{Kernel{6, 1}, secbits + "[exec_restrict_file]", "4:10: error: this kernel does not have exec_restrict_file (Linux 6.14 and later have it)"},
		{Kernel{6, 13}, secbits + "[noroot, exec_deny_interactive, exec_deny_interactive_locked]",
			"4:10: error: this kernel does not have exec_deny_interactive,exec_deny_interactive_locked (Linux 6.14 and later have them)"},
		{Kernel{6, 14}, secbits + "[exec_restrict_file]", ""},
		{Kernel{5, 8}, secbits + "[noroot, no_cap_ambient_raise]", ""},
		{Kernel{5, 8}, "uid: 33\ngid: 33\ncaps: cap_checkpoint_restore,cap_kill=eip", "4:7: error: this kernel does not have cap_checkpoint_restore (Linux 5.9 and later have it)"},
		{Kernel{5, 8}, "uid: 33\ngid: 33\niab: ^cap_checkpoint_restore", "4:6: error: this kernel does not have cap_checkpoint_restore (Linux 5.9 and later have it)"},
		{Kernel{5, 9}, "uid: 33\ngid: 33\ncaps: cap_checkpoint_restore=eip", ""},
	} {
		target := OrdinaryTarget()
		target.KernelRules = c.kernel.Rules()
		plan, found := Compile(parse(t, c.text), c.kernel.Restrict(cred.Root()), target)
		if c.want == "" && plan == nil || c.want != "" && (plan != nil || !strings.Contains(found[0].String(), c.want)) {
			t.Errorf("%v, %s: %v, want %q", c.kernel, c.text, found, c.want)
		}
	}
	for n := range 30 {
		k := Kernel{6, n}
		if rules := k.Rules(); rules.ExecSecurebits != k.since(execSecurebitsSince.Major, execSecurebitsSince.Minor) {
			t.Errorf("%v: the rules are %+v", k, rules)
		}
	}
}
