package launcher

import (
	"slices"
	"strings"

	"caprun/seal/internal/op"
)

// verify reads the state of the process again, and compares it with the block want and
// with the groups to expect.
func (g *generator) verify() {
	differs := g.NewLabel()
	now, want := g.frame.now, g.frame.want
	g.begin("read back")
	g.call("state", g.readState)
	g.call("bounding", g.readBounding)
	if !g.comparesBounding() {
		// The set has nothing that is to be dropped: else the comparison fails.
		dropped, _ := g.dropped()
		g.load(op.R0, now+stateB)
		g.And(op.R0, int64(^dropped))
		g.store(op.R0, want+stateB)
	}
	g.FrameAddress(op.R0, now)
	g.FrameAddress(op.R1, want)
	g.DataAddress(op.R5, g.Text(strings.Join(stateWords[:], "\x00")+"\x00"))
	loop := g.Here()
	g.Load(op.R2, 8, op.R0, 0)
	g.Load(op.R3, 8, op.R1, 0)
	g.IfReg(op.R2, op.NotEqual, op.R3, differs)
	g.Add(op.R0, 8)
	g.Add(op.R1, 8)
	over := g.Here() // the end of the name
	g.Load(op.R2, 1, op.R5, 0)
	g.Add(op.R5, 1)
	g.If(op.R2, op.NotEqual, 0, over)
	g.Load(op.R2, 1, op.R5, 0)
	g.If(op.R2, op.NotEqual, 0, loop)
	groupsDiffer := g.NewLabel()
	if g.declaresIdentity() {
		g.verifyDeclaredGroups(groupsDiffer)
	} else {
		g.verifyGroups(groupsDiffer)
	}
	g.verifyRoot()

	same := g.NewLabel()
	g.Jump(same)
	g.Place(groupsDiffer)
	g.DataAddress(op.R5, g.Text("groups"))
	g.Place(differs) // R5: the address of what differs
	g.store(op.R5, g.frame.subject)
	g.Jump(g.refuse("not as declared"))
	g.Place(same)
}

// verifyDeclaredGroups compares the groups with those of the profile, or with none where
// the step has kept none.
func (g *generator) verifyDeclaredGroups(differs op.LabelID) {
	done := g.NewLabel()
	if g.count(func(c class) bool { return c.keepsNoGroups }) > 0 {
		declared := g.NewLabel()
		g.load(op.R0, g.frame.groupCount)
		g.If(op.R0, op.NotEqual, 0, declared)
		g.Syscall(op.Getgroups, op.Int(0), op.Int(0))
		g.If(op.Result, op.NotEqual, 0, differs)
		g.Jump(done)
		g.Place(declared)
	}
	g.compareGroups(slices.Sorted(slices.Values(g.anyPlan().Identity.Groups)), differs)
	g.Place(done)
}

// verifyGroups compares the groups with those that saveGroups has saved.
func (g *generator) verifyGroups(differs op.LabelID) {
	none := g.NewLabel()
	g.Syscall(op.Getgroups, op.Int(0), op.Int(0))
	g.load(op.R2, g.frame.groupCount)
	g.IfReg(op.R2, op.NotEqual, op.Result, differs)
	g.If(op.R2, op.Equal, 0, none)
	g.load(op.R0, g.frame.groups)
	g.Copy(op.R1, op.R0)
	g.Copy(op.R3, op.R2)
	g.Left(op.R3, 2)
	g.AddReg(op.R1, op.R3)
	g.Syscall(op.Getgroups, op.Of(op.R2), op.Of(op.R1))
	g.IfReg(op.R2, op.NotEqual, op.Result, differs)
	g.compareWords(differs)
	g.Place(none)
}

// verifyRoot checks what exec grants because of uid 0: the bounding and the inheritable
// set. Under no_new_privs, exec grants nothing outside the permitted set. Otherwise
// whether it does depends on facts that the launcher cannot determine, such as a tracer.
func (g *generator) verifyRoot() {
	roots := uint(0)
	for n, c := range g.classes {
		if c.root && c.plan != nil {
			roots |= 1 << n
		}
	}
	if roots == 0 {
		return
	}
	now := g.frame.now
	g.only(roots, func() {
		granted := g.NewLabel()
		g.load(op.R0, now+stateB)
		g.load(op.R1, now+stateI)
		g.OrReg(op.R0, op.R1)
		g.load(op.R1, now+stateP)
		g.AndReg(op.R1, op.R0)
		g.IfReg(op.R0, op.Equal, op.R1, granted)
		g.load(op.R2, now+stateNNP)
		g.If(op.R2, op.Equal, 0, g.refuse("the permitted set lacks capabilities that exec would grant; start with them"))
		g.Copy(op.R0, op.R1)
		g.Place(granted)
		if caps := g.cfg.Profile.Caps; caps != nil {
			g.If(op.R0, op.NotEqual, int64(caps.Permitted), g.refuse("the caller lacks capabilities that caps declares"))
		}
	})
}
