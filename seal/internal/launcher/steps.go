package launcher

import (
	"fmt"
	"reflect"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/seal/internal/op"
)

// translations has the operations of each kind of step. A nil entry is a kind that cannot
// be sealed; unsupported has the reason.
var translations = [cap.StepKinds]func(*generator, *engine.Step){
	cap.StepCloseOnExec: (*generator).closeOnExec,
	cap.StepRaise:       (*generator).raise,
	cap.StepNewSession:  (*generator).newSession,
	cap.StepKeyring:     (*generator).keyring,
	cap.StepGroups:      (*generator).setGroups,
	cap.StepGID:         (*generator).setGID,
	cap.StepChroot:      (*generator).changeRoot,
	cap.StepChdir:       (*generator).changeDirectory,
	cap.StepInheritable: (*generator).setInheritable,
	cap.StepBound:       (*generator).dropBounding,
	cap.StepUID:         (*generator).setUID,
	cap.StepAmbient:     (*generator).setAmbient,
	cap.StepSecbits:     (*generator).setSecurebits,
	cap.StepUmask:       (*generator).setUmask,
	cap.StepRlimit:      (*generator).setLimit,
	cap.StepFinal:       (*generator).lowerPermitted,
	cap.StepNoNewPrivs:  (*generator).setNoNewPrivs,
	cap.StepExec:        func(*generator, *engine.Step) {}, // see target
}

// unsupported has the reason why a kind of step cannot be sealed.
var unsupported = map[cap.StepKind]string{
	// A launcher sets the signal of its caller again: see passOnDeathSignal.
	cap.StepDeathSignal: "a sealed launcher cannot set a parent-death signal of its own",
}

// steps appends the steps of the plans, in the order of cap.StepKind, which is that of a
// launch.
func (g *generator) steps() error {
	for kind := cap.StepKind(1); kind < cap.StepKinds; kind++ {
		if kind == cap.StepInheritable {
			// The caller's privilege still applies here, and the root and the
			// working directory are those of the target.
			g.openProgram()
		}
		for _, v := range g.variants(kind) {
			translate := translations[kind]
			if translate == nil {
				return &UnsupportedError{v.step.Key, unsupported[kind]}
			}
			g.only(v.classes, func() {
				g.begin(g.describe(&v.step))
				translate(g, &v.step)
			})
		}
	}
	g.passOnDeathSignal()
	return nil
}

// variant is a step, and the classes whose plans have it.
type variant struct {
	step    engine.Step
	classes uint
}

// variants returns the different steps of a kind.
func (g *generator) variants(kind cap.StepKind) []variant {
	var list []variant
	for n, c := range g.classes {
		if c.plan == nil {
			continue
		}
	next:
		for _, s := range c.plan.Steps {
			if s.Kind != kind {
				continue
			}
			for k := range list {
				if g.sameStep(list[k].step.Step, s.Step) {
					list[k].classes |= 1 << n
					continue next
				}
			}
			list = append(list, variant{s, 1 << n})
		}
	}
	// A class without a plan does not get here, so it needs no test.
	for k := range list {
		list[k].classes |= g.planless()
	}
	return list
}

// sameStep reports whether two steps of one kind lead to the same operations.
func (g *generator) sameStep(a, b *cap.Step) bool {
	switch a.Kind {
	case cap.StepExec:
		return true
	case cap.StepFinal:
		return !g.declaresFinal() || a.Caps == b.Caps
	}
	return reflect.DeepEqual(a, b)
}

// describe returns the text of a step in messages: short, because launchers are small.
func (g *generator) describe(s *engine.Step) string {
	switch s.Kind {
	case cap.StepUID, cap.StepGID:
		return fmt.Sprintf("%v %d", s.Kind, s.ID)
	case cap.StepUmask:
		return fmt.Sprintf("%v %04o", s.Kind, s.Umask)
	case cap.StepRlimit:
		return fmt.Sprintf("%v %s", s.Kind, strings.TrimPrefix(s.Key, "rlimits."))
	case cap.StepChroot, cap.StepChdir:
		return fmt.Sprintf("%v to %s", s.Kind, s.Path)
	}
	return s.Kind.String()
}

// passOnDeathSignal sets the parent-death signal of the caller again, which a change of
// credentials has cleared, and refuses if the parent has ended since the start: then no
// signal would come.
func (g *generator) passOnDeathSignal() {
	none := g.NewLabel()
	g.load(op.R1, g.frame.death)
	g.If(op.R1, op.Equal, 0, none)
	g.begin("parent-death signal")
	g.Syscall(op.Prctl, op.Int(prSetPdeathsig), op.Of(op.R1))
	g.must()
	g.set(g.frame.pair, -1)
	g.Syscall(op.Prctl, op.Int(prGetPdeathsig), op.FrameAt(g.frame.pair))
	g.must()
	g.Load(op.R0, 4, op.SP, g.frame.pair)
	g.IfReg(op.R0, op.NotEqual, op.R1, g.noEffect)
	g.Syscall(op.Getppid)
	g.load(op.R0, g.frame.parent)
	g.IfReg(op.R0, op.NotEqual, op.Result, g.refuse("the parent has ended"))
	g.Place(none)
}
