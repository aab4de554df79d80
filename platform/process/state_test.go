package process

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/platform/declared"
	"caprun/policy"
)

const statusText = "Name:\tweb\nUmask:\t0027\nState:\tS (sleeping)\nUid:\t33\t33\t33\t33\nGid:\t33\t33\t33\t33\nGroups:\t4 33 \n" +
	"CapInh:\t0000000000000400\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\nNoNewPrivs:\t1\n"

const limitsText = "Limit                     Soft Limit           Hard Limit           Units     \n" +
	"Max core file size        0                    unlimited            bytes     \n" +
	"Max open files            1024                 4096                 files     \n" +
	"Max nice priority         0                    0                    \n"

// web returns the state of a process with an ambient capability.
func web() cred.Cred {
	c := cred.Root()
	bind := cred.CapsOf(10)
	c.UID, c.EUID, c.SUID, c.FSUID = 33, 33, 33, 33
	c.GID, c.EGID, c.SGID, c.FSGID = 33, 33, 33, 33
	c.Groups, c.NoNewPrivs = []uint32{4, 33}, true
	c.Inheritable, c.Permitted, c.Effective, c.Bounding, c.Ambient = bind, bind, bind, bind, bind
	return c
}

func process(c cred.Cred) *machine.Process {
	return &machine.Process{PID: 70, Name: "web", States: []machine.ProcessState{{Threads: []int{70}, Cred: c}}, FileErr: errors.New("x")}
}

func TestDeclare(t *testing.T) {
	p := Declare(process(web()), Surroundings{[]byte(statusText), []byte(limitsText)})
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	want := `version: 1
name: web
# /proc/70/status:4: Uid: 33 33 33 33
uid: 33
# /proc/70/status:5: Gid: 33 33 33 33
gid: 33
# /proc/70/status:6: Groups: 4 33
groups: [4, 33]
# /proc/70/status:7: CapInh: 0000000000000400
# /proc/70/status:10: CapBnd: 0000000000000400
# /proc/70/status:11: CapAmb: 0000000000000400
caps: cap_net_bind_service=eip
# /proc/70/status:12: NoNewPrivs: 1
no_new_privs: true
# /proc/70/status:2: Umask: 0027
umask: "0027"
rlimits:
  # /proc/70/limits:2: Max core file size 0 unlimited bytes
  core: {soft: 0, hard: unlimited}
  # /proc/70/limits:4: Max nice priority 0 0
  nice: 0
  # /proc/70/limits:3: Max open files 1024 4096 files
  nofile: {soft: 1024, hard: 4096}
`
	if string(d.Text) != want {
		t.Errorf("%s", d.Text)
	}
}

// TestLosses: a state that exec does not lead to has losses that say so.
func TestLosses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(p *machine.Process, c *cred.Cred)
		want   string
	}{
		{"saved uid", func(_ *machine.Process, c *cred.Cred) { c.SUID = 0 }, "the uids differ: real 33, effective 33, saved 0, file system 33"},
		{"real gid", func(_ *machine.Process, c *cred.Cred) { c.GID = 0 }, "the gids differ: real 0, effective 33, saved 33, file system 33"},
		{"no gid in the groups", func(_ *machine.Process, c *cred.Cred) { c.Groups = nil }, "the supplementary groups lack the gid 33, which a launch with the profile adds"},
		{"permitted", func(_ *machine.Process, c *cred.Cred) { c.Permitted = cred.CapsOf(10, 25) },
			"the process has cap_sys_time permitted, which a program started with its sets does not have"},
		{"root that dropped", func(_ *machine.Process, c *cred.Cred) { *c = cred.Root(); c.Permitted = c.Permitted.Without(25) },
			"the process has cap_sys_time not permitted, which a program started with its sets has"},
		{"not effective", func(_ *machine.Process, c *cred.Cred) { *c = cred.Root(); c.Effective = c.Effective.Without(25) },
			"the process has cap_sys_time permitted and not effective, and a program starts with it effective"},
		{"threads", func(p *machine.Process, c *cred.Cred) {
			p.States = append(p.States, machine.ProcessState{Threads: []int{71}})
		},
			"the threads are in 2 different states: the profile has that of thread 70"},
		{"user namespace", func(p *machine.Process, _ *cred.Cred) { p.UserNS = machine.NamespaceUnknown },
			"the process may be in another user namespace, to which its capabilities are relative"},
		{"set-user-ID", func(p *machine.Process, _ *cred.Cred) { p.FileErr, p.File.Setuid = nil, true },
			"the program has set-id bits or file capabilities, which change the state at exec"},
		{"many groups", func(_ *machine.Process, c *cred.Cred) { c.Groups = make([]uint32, 1025) }, "the process has 1025 groups, and a profile at most 1024"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := web()
			p := process(c)
			test.change(p, &c)
			p.States[0].Cred = c
			got := Declare(p, Surroundings{})
			var all []string
			for _, l := range got.Losses {
				all = append(all, l.What)
			}
			if !strings.Contains(strings.Join(all, "\n"), test.want) {
				t.Errorf("%q, want %q", all, test.want)
			}
			if _, err := got.Document(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWithheld: what no_new_privs withholds from root is in the profile.
func TestWithheld(t *testing.T) {
	c := cred.Root()
	c.NoNewPrivs, c.Permitted, c.Effective = true, cred.CapsOf(5), cred.CapsOf(5)
	got := Declare(process(c), Surroundings{})
	plan := planOf(t, got)
	for _, l := range got.Losses {
		if strings.Contains(l.What, "permitted") {
			t.Errorf("loss %q", l.What)
		}
	}
	if a := plan.AfterExec; a.Permitted != c.Permitted || a.Bounding != c.Bounding {
		t.Errorf("permitted %s, bounding %s", a.Permitted, a.Bounding)
	}
}

// TestUnmapped: an ID that caprun cannot read is not declared.
func TestUnmapped(t *testing.T) {
	p := process(web())
	p.States[0].Unmapped = []string{"uid"}
	got := Declare(p, Surroundings{})
	if got.Profile.UID != nil || len(got.Findings) != 1 || got.Findings[0].Rule != "identity-not-declared" {
		t.Errorf("%v %v", got.Profile.UID, got.Findings)
	}
	if d, err := got.Document(); err != nil || strings.Contains(string(d.Text), "uid:") {
		t.Errorf("%v %s", err, d.Text)
	}
}

func planOf(t *testing.T, p *declared.Process) *engine.Plan {
	t.Helper()
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		t.Fatal(found)
	}
	plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	return plan
}

// FuzzDeclare: a process has a document, whatever its files have.
func FuzzDeclare(f *testing.F) {
	f.Add([]byte(statusText), []byte(limitsText), "web", uint64(0))
	f.Add([]byte("Umask:\t999\n"), []byte("Max nice priority 18446744073709551614 x\n"), "\x00\n", uint64(7))
	f.Fuzz(func(t *testing.T, status, limits []byte, name string, bits uint64) {
		c := web()
		c.Permitted, c.Effective = cred.Caps(bits), cred.Caps(bits>>3)&cred.Caps(bits)
		c.Bounding, c.Inheritable = cred.Caps(bits*31)&c.All, cred.Caps(bits*7)&c.All
		c.Ambient = c.Inheritable.Intersect(c.Permitted)
		c.NoNewPrivs = bits&1 == 0
		if bits&2 == 0 {
			c.EUID = 0
		}
		p := process(c)
		p.Name = name
		if d, err := Declare(p, Surroundings{status, limits}).Document(); err != nil {
			t.Fatal(fmt.Errorf("%w: %v", err, d))
		}
	})
}
