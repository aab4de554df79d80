package engine

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine/cred"
	"caprun/policy"
)

// LoaderVariable is an environment variable that the dynamic loader or the C library
// ignores in a program that starts with AT_SECURE, see ld.so(8).
type LoaderVariable struct {
	// Name is the name of the variable. "LD_*" stands for all names that begin
	// with LD_.
	Name string

	// Effect describes what the variable does in other programs, in a phrase that
	// begins with a verb.
	Effect string

	// Instead says what to do instead of setting the variable. It is empty unless
	// the variable names code to load.
	Instead string
}

// loaderVariables are the variables that glibc removes from the environment of a
// program with AT_SECURE (sysdeps/generic/unsecvars.h), and those that musl ignores
// there, sorted by name. The first entry that matches a name applies.
var loaderVariables = [...]LoaderVariable{
	{"GCONV_PATH", "names directories from which iconv(3) loads converters, which are code", "install the converters where the C library looks for them"},
	{"GETCONF_DIR", "names the directory of programs that getconf(1) executes", ""},
	{"GLIBC_TUNABLES", "changes how the C library works, such as its memory allocator", ""},
	{"HOSTALIASES", "names a file of aliases for host names", ""},
	{"LD_AUDIT", "names libraries that the dynamic loader loads to audit the program", "audit the program where it is not privileged"},
	{"LD_LIBRARY_PATH", "names directories from which the dynamic loader loads libraries first", "link the program with the path (rpath), or list it in /etc/ld.so.conf"},
	{"LD_PRELOAD", "names libraries that the dynamic loader loads before all others", "link the program with the library"},
	{"LD_*", "changes how the dynamic loader works", ""},
	{"LOCALDOMAIN", "replaces the domains in which host names are searched", ""},
	{"LOCPATH", "names the directory from which the C library reads locales", ""},
	{"MALLOC_ARENA_MAX", "limits the arenas of malloc(3)", ""},
	{"MALLOC_ARENA_TEST", "changes from how many arenas on malloc(3) limits them", ""},
	{"MALLOC_CHECK_", "makes malloc(3) check the heap", ""},
	{"MALLOC_MMAP_MAX_", "limits the mappings of malloc(3)", ""},
	{"MALLOC_MMAP_THRESHOLD_", "changes the size above which malloc(3) uses mmap(2)", ""},
	{"MALLOC_PERTURB_", "makes malloc(3) fill the memory that it allocates and frees", ""},
	{"MALLOC_TOP_PAD_", "changes how much memory malloc(3) requests at a time", ""},
	{"MALLOC_TRACE", "names a file to which mtrace(3) writes", ""},
	{"MALLOC_TRIM_THRESHOLD_", "changes when malloc(3) returns memory to the kernel", ""},
	{"MUSL_LOCPATH", "names directories from which musl reads locales", ""},
	{"NIS_PATH", "names the directories in which NIS+ searches", ""},
	{"NLSPATH", "names files from which catopen(3) reads messages", ""},
	{"RESOLV_HOST_CONF", "names a file that is read instead of /etc/host.conf", ""},
	{"RES_OPTIONS", "changes the options of the resolver", ""},
	{"TMPDIR", "names the directory in which programs make temporary files", ""},
	{"TZDIR", "names the directory from which the C library reads time zones", ""},
}

// LoaderVariables returns all loader variables, sorted by name. "LD_*" comes after the
// names with an entry of their own that begin with LD_.
func LoaderVariables() []LoaderVariable { return slices.Clone(loaderVariables[:]) }

// FindLoaderVariable returns the loader variable with a name. ok is false if the name
// is not that of a loader variable.
func FindLoaderVariable(name string) (v LoaderVariable, ok bool) {
	n := slices.IndexFunc(loaderVariables[:], func(v LoaderVariable) bool {
		prefix, all := strings.CutSuffix(v.Name, "*")
		return v.Name == name || all && strings.HasPrefix(name, prefix)
	})
	if n < 0 {
		return LoaderVariable{}, false
	}
	v = loaderVariables[n]
	v.Name = name
	return v, true
}

// IsLoaderVariable reports whether name is the name of a [LoaderVariable].
func IsLoaderVariable(name string) bool {
	_, ok := FindLoaderVariable(name)
	return ok
}

// loaderNames returns the names of all loader variables, with "LD_*" for all that
// begin with LD_.
func loaderNames() []string {
	names := []string{"LD_*"}
	for _, v := range loaderVariables {
		if !strings.HasPrefix(v.Name, "LD_") {
			names = append(names, v.Name)
		}
	}
	return names
}

// PresentLoaderVariables returns the names of the loader variables in environ, which
// has the form of [os.Environ], in its order and without duplicates.
func PresentLoaderVariables(environ []string) []string {
	var names []string
	for _, entry := range environ {
		if name, _, _ := strings.Cut(entry, "="); IsLoaderVariable(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// removesLoaderVariables reports whether the launch removes the caller's loader
// variables. The dynamic loader ignores them only under AT_SECURE, which neither an
// identity change before exec nor ambient capabilities set. Without the removal, the
// caller could load code into a process of another user or with capabilities.
func (p *Plan) removesLoaderVariables() bool { return p.loaderReason() != "" }

// loaderReason returns why the launch removes loader variables; empty if it keeps
// them. It keeps them for root that stays root: the caller could run its own code with
// these capabilities without caprun. Under noroot, uid 0 does not count as root,
// because exec grants it no capabilities.
func (p *Plan) loaderReason() string {
	from, to := p.Caller, p.AfterExec
	root := to.UID == 0 && to.EUID == 0 && !to.Securebits.Has(cred.SecNoRoot)
	switch {
	case from.UID != to.UID || from.EUID != to.EUID || from.SUID != to.SUID || from.FSUID != to.FSUID:
		return "the uid changes"
	case from.GID != to.GID || from.EGID != to.EGID || from.SGID != to.SGID || from.FSGID != to.FSGID:
		return "the gid changes"
	case !sameGroupSet(from.Groups, to.Groups):
		return "the groups change"
	case !root && to.Permitted != 0:
		return "the target is not root and has " + to.Permitted.String()
	}
	return ""
}

// sameGroupSet reports whether two lists have the same groups, in any order.
func sameGroupSet(a, b []uint32) bool {
	sorted := func(list []uint32) []uint32 {
		list = slices.Clone(list)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return slices.Equal(sorted(a), sorted(b))
}

// checkLoaderVariables refuses loader variables under env.keep that the launch
// removes. It allows those that env.set sets: their value is the profile's.
func (c *compiler) checkLoaderVariables() []policy.Diagnostic {
	spec := c.Profile.Env
	if spec == nil {
		return nil
	}
	why := c.loaderReason()
	if why == "" {
		return nil
	}
	var found []policy.Diagnostic
	for n, name := range spec.Keep {
		v, ok := FindLoaderVariable(name)
		if _, set := spec.Set[name]; !ok || set {
			continue
		}
		hint := "remove it from keep, or give it a value under set"
		if v.Instead != "" && c.AfterExec.Permitted != 0 {
			hint = "remove it from keep; " + v.Instead
		}
		found = append(found, *c.diagnose(ruleLoaderRemoved, fmt.Sprintf("env.keep[%d]", n),
			fmt.Sprintf("caprun removes %s because %s: it %s", name, why, v.Effect), hint))
	}
	return found
}
