package launcher

import "caprun/seal/internal/op"

// judge refuses the file at current, whose state is saved, if its set-id bits or its
// capabilities have an effect on exec.
//
// If every result of exec is as declared, it only removes the loader variables for a
// target with other privileges.
func (g *generator) judge() {
	f := &g.frame
	setID, caps, harmless := g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.checkSetID(setID)
	g.checkCaps(caps)
	// Verify that the file is the same, and still has no capabilities. A change of
	// them changes the ctime.
	g.load(op.R1, f.current)
	g.call("stat", g.statPath)
	g.must()
	g.checkStat()
	g.compareSavedStat()
	g.checkCaps(caps)
	g.Jump(harmless)

	g.Place(setID)
	g.ifHonoured(harmless)
	if g.judges() {
		g.Jump(g.refuse("it is set-user-ID or set-group-ID"))
	}
	g.Place(caps)
	g.ifHonoured(harmless)
	if g.judges() {
		g.Jump(g.refuse("it has file capabilities"))
	} else {
		g.removeLoader()
	}
	g.Place(harmless)
}

// checkSetID goes to yes if exec would change an ID because of the set-id bits. They have
// no effect under no_new_privs.
func (g *generator) checkSetID(yes op.LabelID) {
	if g.declaresNoNewPrivs() {
		return
	}
	f := &g.frame
	no, group := g.NewLabel(), g.NewLabel()
	g.load(op.R0, f.want+stateNNP)
	g.If(op.R0, op.NotEqual, 0, no)
	g.Load(op.R0, 2, op.SP, f.saved+statxMode)
	g.If(op.R0, op.NoBit, sISUID, group)
	g.Load(op.R1, 4, op.SP, f.saved+statxUID)
	g.Load(op.R2, 4, op.SP, f.want+stateUID+4)
	g.IfReg(op.R1, op.NotEqual, op.R2, yes)
	g.Place(group)
	g.And(op.R0, sISGIDExec)
	g.If(op.R0, op.NotEqual, sISGIDExec, no)
	g.Load(op.R1, 4, op.SP, f.saved+statxGID)
	g.Load(op.R2, 4, op.SP, f.want+stateGID+4)
	g.IfReg(op.R1, op.NotEqual, op.R2, yes)
	g.Place(no)
}

// checkCaps goes to yes if the file has capabilities that would change the state of the
// target, or if that is unknown.
func (g *generator) checkCaps(yes op.LabelID) {
	if g.count(func(c class) bool { return c.capsMatter }) == 0 {
		return
	}
	g.only(g.classesWhere(func(c class) bool { return c.capsMatter }), func() {
		g.call("file capabilities", g.readCaps)
		g.If(op.R0, op.NotEqual, 0, yes)
	})
}

// readCaps sets R0 to 0 if the file at current has no capabilities.
func (g *generator) readCaps() {
	none, done := g.NewLabel(), g.NewLabel()
	g.load(op.R1, g.frame.current)
	g.Syscall(op.Getxattr, op.Of(op.R1), op.DataAt(g.Text("security.capability")), op.Int(0), op.Int(0))
	g.If(op.Result, op.Equal, -eNODATA, none)
	g.If(op.Result, op.Equal, -eOPNOTSUPP, none)
	g.Const(op.R0, 1)
	g.Jump(done)
	g.Place(none)
	g.Const(op.R0, 0)
	g.Place(done)
}

// ifHonoured goes to harmless if the kernel ignores the set-id bits and the capabilities of
// the file because it is mounted nosuid, and continues otherwise. The kernel also ignores
// them on a mount of another mount namespace; the launcher does not determine that.
func (g *generator) ifHonoured(harmless op.LabelID) {
	g.call("honoured", g.isHonoured)
	g.If(op.R0, op.Equal, 0, harmless)
}

// isHonoured sets R0 to 0 if the file is mounted nosuid, and else to 1. It uses the slot
// pair.
func (g *generator) isHonoured() {
	const oPATH = 0o10000000
	f := &g.frame
	done := g.NewLabel()
	g.load(op.R1, f.current)
	g.Syscall(op.Openat, op.Int(atFDCWD), op.Of(op.R1), op.Int(oPATH|oCLOEXEC))
	g.newDescriptor()
	g.store(op.R0, f.pair)
	g.call("stat descriptor", g.statDescriptor)
	g.must()
	g.checkStat()
	g.compareSavedStat()
	g.set(f.buffer+statfsFlags, 0)
	g.load(op.R0, f.pair)
	g.Syscall(op.Fstatfs, op.Of(op.R0), op.FrameAt(f.buffer))
	g.Copy(op.R1, op.Result)
	g.closeDescriptor()
	g.Const(op.R0, 1)
	g.If(op.R1, op.NotEqual, 0, done)
	g.load(op.R1, f.buffer+statfsFlags)
	g.If(op.R1, op.NoBit, stNosuid, done)
	g.Const(op.R0, 0)
	g.Place(done)
}
