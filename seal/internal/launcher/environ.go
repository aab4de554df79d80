package launcher

import (
	"slices"
	"strings"

	"caprun/engine"
	"caprun/policy"
	"caprun/seal/internal/op"
)

// addedVariables returns the greatest number of variables that a plan adds.
func (g *generator) addedVariables() int {
	most := 0
	for _, c := range g.classes {
		if c.plan != nil {
			most = max(most, len(c.plan.Environ(nil)))
		}
	}
	return most + 1
}

// envSpec returns the declaration of the environment.
func (g *generator) envSpec() *policy.Env {
	if spec := g.cfg.Profile.Env; spec != nil {
		return spec
	}
	return &policy.Env{KeepAll: true}
}

// environ makes the list of the target's variables above the frame: those of the caller
// that the profile keeps, the first of each name, and then those that the plan adds.
func (g *generator) environ() {
	g.begin("environment")
	g.decideLoader()
	spec, next, done := g.envSpec(), g.NewLabel(), g.NewLabel()
	g.FrameEnd(op.R0)
	g.store(op.R0, g.frame.envEnd)

	g.Place(next)
	g.load(op.R5, g.frame.env)
	g.Load(op.R0, 8, op.R5, 0)
	g.Add(op.R5, 8)
	g.store(op.R5, g.frame.env)
	g.If(op.R0, op.Equal, 0, done)
	g.requireName(next)
	if !spec.KeepAll {
		g.matchNames(spec.Keep)
		g.If(op.R1, op.Equal, 0, next)
	}
	dropped := slices.Clone(spec.Unset)
	for name := range spec.Set {
		dropped = append(dropped, name)
	}
	slices.Sort(dropped)
	g.skipNames(dropped, next)
	if moving := g.classesWhere(func(c class) bool { return c.moves }); g.count(func(c class) bool { return c.moves }) > 0 {
		replaced := slices.DeleteFunc(engine.IdentityVariables(), func(name string) bool {
			return slices.Contains(spec.Keep, name) || slices.Contains(dropped, name)
		})
		kept := g.NewLabel()
		g.load(op.R1, g.frame.class)
		g.If(op.R1, op.NoBit, int64(moving), kept)
		g.skipNames(replaced, next)
		g.Place(kept)
	}
	g.skipLoader(next)
	g.skipRepeated(next)
	g.appendVariable()
	g.Jump(next)

	g.Place(done)
	g.load(op.R0, g.frame.envEnd)
	g.store(op.R0, g.frame.envAdded)
	for _, v := range g.additions() {
		g.only(v.classes, func() {
			g.DataAddress(op.R0, g.Text(v.entry))
			g.appendVariable()
		})
	}
	g.Const(op.R0, 0)
	g.appendVariable()
}

// appendVariable appends R0 to the list.
func (g *generator) appendVariable() {
	g.call("append variable", func() {
		g.load(op.R1, g.frame.envEnd)
		g.Store(op.R0, 8, op.R1, 0)
		g.Add(op.R1, 8)
		g.store(op.R1, g.frame.envEnd)
	})
}

// addition is a variable, and the classes whose plans add it.
type addition struct {
	entry   string
	classes uint
}

func (g *generator) additions() []addition {
	var list []addition
	for n, c := range g.classes {
		if c.plan == nil {
			continue
		}
		for _, entry := range c.plan.Environ(nil) {
			k := slices.IndexFunc(list, func(a addition) bool { return a.entry == entry })
			if k < 0 {
				k = len(list)
				list = append(list, addition{entry, g.planless()})
			}
			list[k].classes |= 1 << n
		}
	}
	return list
}

// requireName goes to next unless the entry at R0 has a name and a value.
func (g *generator) requireName(next op.LabelID) {
	named := g.NewLabel()
	g.Copy(op.R1, op.R0)
	loop := g.Here()
	g.Load(op.R2, 1, op.R1, 0)
	g.If(op.R2, op.Equal, 0, next)
	g.If(op.R2, op.Equal, '=', named)
	g.Add(op.R1, 1)
	g.Jump(loop)
	g.Place(named)
	g.IfReg(op.R1, op.Equal, op.R0, next)
}

// skipNames goes to next if the entry at R0 has one of the names.
func (g *generator) skipNames(names []string, next op.LabelID) {
	if len(names) == 0 {
		return
	}
	g.matchNames(names)
	g.If(op.R1, op.NotEqual, 0, next)
}

// matchNames sets R1 to 1 if the entry at R0 has one of the names, and else to 0.
func (g *generator) matchNames(names []string) {
	list := ""
	for _, name := range names {
		list += name + "=\x00"
	}
	g.matchPrefixes(list)
}

func (g *generator) matchPrefixes(list string) {
	g.DataAddress(op.R1, g.Text(list))
	g.call("match", g.matchList)
}

// matchList sets R1 to 1 if the text at R0 begins with one of the strings at R1, each
// ended by a zero byte and the last one followed by another, and else to 0. It keeps R0
// and R5.
func (g *generator) matchList() {
	char, over, none, found, done := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	entry := g.Here()
	g.Load(op.R2, 1, op.R1, 0)
	g.If(op.R2, op.Equal, 0, none)
	g.Copy(op.R3, op.R0)
	g.Place(char)
	g.Load(op.R2, 1, op.R1, 0)
	g.If(op.R2, op.Equal, 0, found)
	g.Load(op.R4, 1, op.R3, 0)
	g.IfReg(op.R4, op.NotEqual, op.R2, over)
	g.Add(op.R1, 1)
	g.Add(op.R3, 1)
	g.Jump(char)
	g.Place(over)
	g.Load(op.R2, 1, op.R1, 0)
	g.Add(op.R1, 1)
	g.If(op.R2, op.NotEqual, 0, over)
	g.Jump(entry)
	g.Place(none)
	g.Const(op.R1, 0)
	g.Jump(done)
	g.Place(found)
	g.Const(op.R1, 1)
	g.Place(done)
}

// skipRepeated goes to next if the list has a variable with the name of the entry at R0.
func (g *generator) skipRepeated(next op.LabelID) {
	char, other, unique := g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.FrameEnd(op.R1)
	loop := g.Here()
	g.load(op.R2, g.frame.envEnd)
	g.IfReg(op.R1, op.AtLeast, op.R2, unique)
	g.Load(op.R3, 8, op.R1, 0)
	g.Add(op.R1, 8)
	g.Copy(op.R4, op.R0)
	g.Place(char)
	g.Load(op.R5, 1, op.R3, 0)
	g.Load(op.R2, 1, op.R4, 0)
	g.IfReg(op.R5, op.NotEqual, op.R2, other)
	g.If(op.R5, op.Equal, '=', next)
	g.Add(op.R3, 1)
	g.Add(op.R4, 1)
	g.Jump(char)
	g.Place(other)
	g.Jump(loop)
	g.Place(unique)
}

// decideLoader stores in the frame whether the loader variables are removed: the target has
// other IDs than the caller, or is not root and has capabilities.
func (g *generator) decideLoader() {
	start, want := g.frame.start, g.frame.want
	yes, done := g.NewLabel(), g.NewLabel()
	g.frame.noLoader, g.frame.envAdded = g.Slot(8), g.Slot(8)
	if g.declaresIdentity() {
		g.FrameAddress(op.R0, start+stateUID)
		g.FrameAddress(op.R1, want+stateUID)
		g.Const(op.R2, (stateE-stateUID)/4) // the gids follow
		g.compareWords(yes)
		g.load(op.R0, g.frame.groupsChanged)
		g.If(op.R0, op.NotEqual, 0, yes)
	}
	if ordinary := g.classesWhere(func(c class) bool { return !c.root }); g.count(func(c class) bool { return !c.root }) > 0 {
		g.only(ordinary, func() {
			g.load(op.R0, want+stateA)
			g.If(op.R0, op.NotEqual, 0, yes)
		})
	}
	g.set(g.frame.noLoader, 0)
	g.Jump(done)
	g.Place(yes)
	if slices.ContainsFunc(g.envSpec().Keep, g.keepsLoader) {
		g.Jump(g.loaderKept())
	} else {
		g.set(g.frame.noLoader, 1)
	}
	g.Place(done)
}

// skipLoader goes to next if the entry at R0 is a loader variable and these are removed.
func (g *generator) skipLoader(next op.LabelID) {
	keep := g.NewLabel()
	g.load(op.R1, g.frame.noLoader)
	g.If(op.R1, op.Equal, 0, keep)
	g.matchPrefixes(loaderPrefixes())
	g.If(op.R1, op.NotEqual, 0, next)
	g.Place(keep)
}

// removeLoader removes the loader variables of the caller from the list.
func (g *generator) removeLoader() {
	if slices.ContainsFunc(g.envSpec().Keep, g.keepsLoader) {
		g.Jump(g.loaderKept())
		return
	}
	// R5: the entry to read; envEnd: where the next one is written.
	next, keep, done := g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.FrameEnd(op.R5)
	g.store(op.R5, g.frame.envEnd)
	g.Place(next)
	g.Load(op.R0, 8, op.R5, 0)
	g.If(op.R0, op.Equal, 0, done)
	g.load(op.R1, g.frame.envAdded)
	g.Add(op.R5, 8)
	g.IfReg(op.R1, op.Below, op.R5, keep)
	g.matchPrefixes(loaderPrefixes())
	g.If(op.R1, op.NotEqual, 0, next)
	g.Place(keep)
	g.appendVariable()
	g.Jump(next)
	g.Place(done)
	g.appendVariable()
}

// keepsLoader reports whether a name under env.keep is that of a loader variable that the
// profile does not set.
func (g *generator) keepsLoader(name string) bool {
	_, set := g.envSpec().Set[name]
	return !set && engine.IsLoaderVariable(name)
}

func (g *generator) loaderKept() op.LabelID {
	return g.refuse("env.keep names a variable that the dynamic loader of a privileged program ignores")
}

// loaderPrefixes returns the beginnings of the entries of loader variables, for matchList.
func loaderPrefixes() string {
	list := ""
	for _, v := range engine.LoaderVariables() {
		if prefix, all := strings.CutSuffix(v.Name, "*"); all {
			list = prefix + "\x00" + list
		} else if !strings.HasPrefix(v.Name, "LD_") {
			list += v.Name + "=\x00"
		}
	}
	return list
}
