package compare

import (
	"fmt"
	"slices"

	"caprun/engine"
)

// Environ is the policy for the environment of a target.
type Environ struct{ engine.EnvPolicy }

// Names that stand for the variables that no policy names: all others, and all other
// variables of the dynamic loader. No variable can have these names.
const (
	anyVariable       = "*"
	anyLoaderVariable = "LD_*"
)

// String lists the variables that the target inherits from the caller, and those that the
// profile sets.
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
	return ok && !slices.ContainsFunc(relevantNames(e, o), func(name string) bool { return orderVariable(e, o, name) != Same })
}

// fromCaller returns those of names that the target inherits from the caller.
func (e Environ) fromCaller(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return e.Source(name) != engine.VarCaller })
}

// Exceeding returns the caller's variables that a target with e inherits and one with
// limit does not: names, sorted; all, if every variable that neither policy names is one
// of them; loader, if loader variables are that limit does not name.
func (e Environ) Exceeding(limit Environ) (names []string, all, loader bool) {
	beyond := func(name string) bool {
		return e.Source(name) == engine.VarCaller && limit.Source(name) != engine.VarCaller
	}
	for _, name := range relevantNames(e, limit) {
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

// relevantNames returns names that are enough to detect every difference of two policies,
// sorted.
func relevantNames(a, b Environ) []string {
	names := slices.Concat([]string{anyVariable}, engine.IdentityVariables(), a.DeclaredNames(), b.DeclaredNames())
	for _, v := range engine.LoaderVariables() {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// orderVariable returns the order of a variable in two policies.
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
	for _, name := range relevantNames(old, new) {
		d.Order = d.Order.and(orderVariable(old, new, name))
	}
	return d
}
