package compare

import (
	"fmt"
	"slices"

	"caprun/engine"
)

// Environ is what decides about the environment of a target.
type Environ struct{ engine.EnvPolicy }

// Values that stand for the variables that no policy mentions: ordinary ones, and
// those of the dynamic loader. Neither is the name of a variable.
const (
	anyVariable       = "*"
	anyLoaderVariable = "LD_*"
)

// String lists the variables of the caller that reach the target, and those that
// the profile sets.
func (e Environ) String() string {
	text := ""
	if e.Source(anyVariable) == engine.VarCaller {
		text = "everything"
		others := slices.Concat(e.DeclaredNames(), engine.IdentityVariables())
		slices.Sort(others)
		others = slices.DeleteFunc(slices.Compact(others), func(name string) bool { return e.Source(name) == engine.VarCaller })
		if len(others) > 0 {
			text += " but " + joinOr(others, "")
		}
		if e.Source(anyLoaderVariable) != engine.VarCaller {
			text += ", without the loader's variables"
		}
	} else {
		text = joinOr(e.fromCaller(e.DeclaredNames()), "nothing")
	}
	for _, name := range e.DeclaredNames() {
		if value, set := e.Value(name); set {
			text += fmt.Sprintf(", %s=%q", name, value)
		}
	}
	return text
}

func (e Environ) equal(v Value) bool {
	o, ok := v.(Environ)
	return ok && !slices.ContainsFunc(universe(e, o), func(name string) bool { return orderVariable(e, o, name) != Same })
}

// fromCaller returns those of the names that the target has from the caller.
func (e Environ) fromCaller(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return e.Source(name) != engine.VarCaller })
}

// Exceeding returns the caller's variables that reach this target and not that of
// limit, sorted; all tells that they are countless.
func (e Environ) Exceeding(limit Environ) (names []string, all, loader bool) {
	beyond := func(name string) bool {
		return e.Source(name) == engine.VarCaller && limit.Source(name) != engine.VarCaller
	}
	for _, name := range universe(e, limit) {
		switch {
		case !beyond(name):
		case name == anyVariable:
			all = true
		case engine.IsLoaderVariable(name) && e.Source(anyVariable) == engine.VarCaller && !slices.Contains(limit.DeclaredNames(), name):
			loader = true
		default:
			names = append(names, name)
		}
	}
	return names, all, loader
}

// universe returns names among which two policies differ if they differ at all,
// sorted.
func universe(a, b Environ) []string {
	names := slices.Concat([]string{anyVariable}, engine.IdentityVariables(), a.DeclaredNames(), b.DeclaredNames())
	for _, v := range engine.LoaderVariables() {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// orderVariable compares where two targets have a variable from.
func orderVariable(old, new Environ, name string) Order {
	from, to := old.Source(name), new.Source(name)
	valueOld, setOld := old.Value(name)
	valueNew, setNew := new.Value(name)
	switch {
	case setOld || setNew:
		if setOld && setNew && valueOld == valueNew {
			return Same
		}
		return Incomparable
	default:
		return within(from != engine.VarCaller || to == engine.VarCaller, to != engine.VarCaller || from == engine.VarCaller)
	}
}

func compareEnvironments(old, new Environ) Difference {
	d := Difference{Dimension: Environment, Old: old, New: new}
	for _, name := range universe(old, new) {
		d.Order = d.Order.and(orderVariable(old, new, name))
	}
	return d
}
