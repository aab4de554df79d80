package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// What a target has around it, next to a ceiling: root directory, environment,
// limits and descriptors.

func (x *excess) root() {
	has, limit := strings.TrimSuffix(x.profile.Chroot, "/"), strings.TrimSuffix(x.ceiling.Profile.Chroot, "/")
	switch {
	case limit == "" || has == limit:
	case has == "":
		x.say(x.at("chroot"), "no root directory of its own"+x.more(), "declare chroot, as there: "+limit)
	case processLinks(has):
		x.say(x.at("chroot"), fmt.Sprintf("chroot %s leads wherever a process has it", has)+x.more(), "declare a directory by its own path")
	case strings.HasPrefix(limit, has+"/"):
		x.say(x.at("chroot"), fmt.Sprintf("chroot %s contains %s", has, limit)+x.more(), "declare a directory that does not")
	}
}

// session says that the caller's terminal stays, where the ceiling leaves it.
func (x *excess) session() {
	if x.ceiling.Profile.NewSession && !x.profile.NewSession {
		x.say(policy.Position{}, "no session of its own"+x.more(), "add new_session: true")
	}
}

// environment says which of the caller's variables pass that do not pass the
// ceiling.
func (x *excess) environment() {
	has, limit := passing(x.plan), passing(x.ceiling)
	if has.all && !limit.all {
		x.say(x.at("env.keep", "env"), "the caller's whole environment"+x.more(), "declare env: {keep: […]} with the variables that the program needs")
		return
	}
	names := has.names
	if has.all {
		names = limit.names
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !has.passes(name) || limit.passes(name) })
	if len(names) > 0 {
		slices.Sort(names)
		names = slices.Compact(names)
		at, hint := x.at("env.keep", "env"), "unset "+pronounFor(len(names))
		if n := slices.Index(has.names, names[0]); !has.all {
			at, hint = x.at(fmt.Sprintf("env.keep[%d]", n)), "leave "+pronounFor(len(names))+" out of keep"
		}
		x.say(at, "the caller's "+enumeration(names)+x.more(), hint)
	}
	if has.all && has.loader && !limit.loader {
		x.say(x.at("env.keep", "env"), "the caller's loader variables, such as LD_PRELOAD, which this launch does not remove"+x.more(), "declare env: {keep: […]} with the variables that the program needs")
	}
}

// A passage says which of the caller's variables reach a target.
type passage struct {
	all    bool
	names  []string // of all, that do not
	loader bool     // those of the dynamic loader too
	except []string // set or removed, of a list
}

func passing(p *engine.Plan) passage {
	e := p.Profile.Env
	if e == nil {
		e = &policy.Env{KeepAll: true}
	}
	except := slices.Clone(e.Unset)
	for name := range e.Set {
		except = append(except, name)
	}
	w := passage{all: e.KeepAll, names: e.Keep, except: except, loader: !p.RemovesLoaderVariables()}
	if w.all {
		w.names = except
	}
	return w
}

func (w passage) passes(name string) bool {
	if !w.loader && engine.IsLoaderVariable(name) || slices.Contains(w.except, name) {
		return false
	}
	return w.all || slices.Contains(w.names, name)
}

func (x *excess) limits() {
	find := func(list []policy.Rlimit, name string) (policy.Rlimit, bool) {
		n := slices.IndexFunc(list, func(l policy.Rlimit) bool { return l.Name == name })
		if n < 0 {
			return policy.Rlimit{Soft: policy.Unlimited, Hard: policy.Unlimited}, false
		}
		return list[n], true
	}
	var absent []string
	for _, limit := range x.ceiling.Profile.Rlimits {
		if _, ok := find(x.profile.Rlimits, limit.Name); !ok && limit.Soft != policy.Unlimited {
			absent = append(absent, limit.Name)
		}
	}
	if absent != nil {
		x.say(x.profile.KeyPosition("rlimits"), fmt.Sprintf("rlimits leaves %s to the caller, and %s does not", enumeration(absent), x.name), "declare "+enumeration(absent)+" in rlimits")
	}
	for _, has := range x.profile.Rlimits {
		limit, ok := find(x.ceiling.Profile.Rlimits, has.Name)
		path := "rlimits." + has.Name
		switch {
		case !ok && has.Hard == policy.Unlimited:
			x.say(x.at(path+".hard"), has.Name+" unlimited, where "+x.name+" leaves it to the caller", "leave it out, or lower it")
		case !ok:
		case has.Hard > limit.Hard:
			x.say(x.at(path+".hard"), has.Name+" "+engine.LimitText(has.Hard)+x.more(), "lower it to "+engine.LimitText(limit.Hard))
		case has.Soft > limit.Soft:
			x.say(x.at(path+".soft"), has.Name+" "+engine.LimitText(has.Soft)+x.more(), "lower the soft limit to "+engine.LimitText(limit.Soft))
		}
	}
}

func (x *excess) descriptors(gained []string) {
	if len(gained) == 0 {
		return
	}
	n := slices.IndexFunc(x.profile.KeepFDs, func(fd int) bool { return slices.Contains(gained, fmt.Sprint(fd)) })
	x.say(x.at(fmt.Sprintf("keep_fds[%d]", n), "keep_fds"), "keep_fds "+strings.Join(gained, ",")+x.more(), "take "+pronounFor(len(gained))+" out of keep_fds")
}
