package review

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/policy"
	"caprun/profiles"

	"gopkg.in/yaml.v3"
)

// checkMutants follows hints about valid profiles with one change: of a type, a spelling,
// a list, or a key that is missing or duplicate. If the intended value is still clear,
// the first hint that writes a value must lead to a profile without errors.
func checkMutants(t *testing.T, h *hintCheck) {
	all, count, restored := 0, 0, map[string]int{}
	valid := validProfiles(t)
	for _, name := range slices.Sorted(maps.Keys(valid)) {
		mutate(t, valid[name], func(change string, meant bool, mutant string) {
			if all++; all%requires.Rounds(3, 1) != 0 {
				return
			}
			count++
			h.check(name+", "+change, mutant, findErrors)
			if meant && checkRestored(t, h, name+", "+change, mutant) {
				restored[change]++
			}
		})
	}
	t.Logf("%d mutants; hints followed where the meaning is kept: %v", count, restored)
	if count < requires.Rounds(2000, 6000) || restored["in a list"] < requires.Rounds(20, 50) {
		t.Error("these are too few")
	}
}

// checkRestored follows the first hint that writes a value, if a profile has one error. The
// profile must then have none, and a plan. It reports whether there is such a hint, other
// than an example.
func checkRestored(t *testing.T, h *hintCheck, name, text string) bool {
	t.Helper()
	found := errorsIn(text)
	if len(found) != 1 {
		return false
	}
	f := found[0]
	first := alternatives(f.Hint)
	if len(first) == 0 || !strings.HasPrefix(f.Hint, "write ") && !strings.HasPrefix(f.Hint, "did ") || h.isListed(first[0]) || example.MatchString(first[0]) {
		return false
	}
	changed, announced, ok := follow(text, f, first[0])
	if left := errorsIn(changed); ok && announced == "" && len(left) > 0 {
		t.Errorf("%s: %v\nhelp: %s\nleads to %v\nfrom\n%s\nto\n%s", name, f.Diagnostic, f.Hint, left[0].Diagnostic, text, changed)
	}
	return true
}

func findErrors(text string) []Finding {
	return slices.DeleteFunc(Check("mutant.yaml", []byte(text), Options{}).Findings, func(f Finding) bool { return f.Severity != policy.Error })
}

func errorsIn(text string) []Finding { return findErrors(text) }

// validProfiles returns profiles without errors, by name.
func validProfiles(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{
		"lists":  "version: 1\nuid: 33\ngid: 33\ngroups: [33, 34]\ncommand: [/bin/server, --port, \"80\"]\nkeep_fds: [3, 4]\nsecbits: [noroot, noroot_locked]\ncaps: cap_kill,cap_chown=eip\nenv: {keep: [PATH, LANG], set: {MODE: x, PORT: \"80\"}, unset: [TZ]}\n",
		"blocks": "version: 1\nuser: www-data\ncommand:\n- server\n- -v\nchroot: /srv/x\ncwd: /x\numask: \"0027\"\nno_new_privs: true\nnew_session: true\nkeyring: inherit\nmode: HYBRID\nenv:\n  keep:\n  - PATH\n  set:\n    A: b\nrlimits:\n  nofile: 1024\n  core:\n    soft: 0\n    hard: unlimited\nlint:\n  ignore:\n  - rule: umask-open\n    reason: why\n    until: 2027-01-31\n",
		"limits": "version: 1\nrlimits: {nofile: {soft: 20, hard: unlimited}, core: {soft: 5}, cpu: {soft: 0}, as: {soft: 3}, stack: {soft: 500}, data: {hard: 20}}\n",
		"more":   "version: 1\nrlimits: {nofile: {hard: 20}, core: unlimited, cpu: 5, as: {soft: 3, hard: 4}, stack: {soft: 50, hard: 100}, data: {soft: 6}}\n",
		"iab":    "version: 1\nname: a-b\ndescription: two words\niab: ^cap_kill,cap_chown\nkeep_fds:\n- 5\nlint: {ignore: [{rule: bounding-wider, caps: [cap_kill, cap_chown], reason: x}]}\n",
		"flow":   "{version: 1, uid: 3, gid: 4, caps: \"=\", env: {keep: all}, rlimits: {cpu: {soft: 1, hard: 2}, as: unlimited}}\n",
	}
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	paths, err := filepath.Glob(filepath.Join("..", "..", "policy", "testdata", "ok", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		// Some are valid but have no plan.
		if len(errorsIn(string(text))) == 0 {
			all[filepath.Base(path)] = string(text)
		}
	}
	return all
}

// mutate calls try with each change of one part of a profile.
func mutate(t *testing.T, text string, try func(change string, meant bool, mutant string)) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	print := func(change string, meant bool) {
		mutant, err := yaml.Marshal(&document)
		if err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		try(change, meant, string(mutant))
	}
	var visit func(n *yaml.Node)
	visit = func(n *yaml.Node) {
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				mutateKey(n, i, print)
				continue
			}
			for _, m := range valueMutants(child) {
				n.Content[i] = m.node
				print(m.change, m.meant)
			}
			n.Content[i] = child
			if n.Kind == yaml.SequenceNode {
				all := n.Content
				n.Content = slices.Insert(slices.Clone(all), i, child)
				print("an item twice", false)
				n.Content = slices.Delete(slices.Clone(all), i, i+1)
				print("an item less", false)
				n.Content = all
			}
			visit(child)
		}
	}
	visit(document.Content[0])
}

// mutateKey misspells, removes and duplicates a key.
func mutateKey(n *yaml.Node, i int, print func(change string, meant bool)) {
	key := n.Content[i].Value
	for _, other := range []string{key[:len(key)-1], key + "s", strings.ToUpper(key), strings.ReplaceAll(key, "_", "-"), "x" + key} {
		if other != key && other != "" {
			n.Content[i].Value = other
			print("a key misspelt", false)
		}
	}
	n.Content[i].Value = key
	all := n.Content
	n.Content = slices.Delete(slices.Clone(all), i, i+2)
	print("a key less", false)
	n.Content = append(slices.Clone(all), all[i], all[i+1])
	print("a key twice", false)
	n.Content = all
}

type valueMutant struct {
	change string
	meant  bool // the intended value is clear
	node   *yaml.Node
}

// valueMutants returns a value in other types and forms.
func valueMutants(n *yaml.Node) []valueMutant {
	plain := func(value string) *yaml.Node { return rawScalar(value) }
	list := func(items ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: items}
	}
	var mutants []valueMutant
	add := func(change string, meant bool, node *yaml.Node) {
		mutants = append(mutants, valueMutant{change, meant, node})
	}
	add("a null", false, plain("~"))
	add("in a list", true, list(n))
	add("in a mapping", false, &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{plain("x"), n}})
	for _, value := range []string{"yes", "12:30", "-1", "010", "1.5", "text", "a b", "/a/../b", "[]", "{}"} {
		add("another value", false, plain(value))
	}
	values := scalarValues(n)
	switch {
	case n.Kind == yaml.ScalarNode:
		add("in quotes", true, &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str", Value: n.Value})
		if !strings.ContainsAny(n.Value, " \n:#") && n.Value != "" {
			add("without quotes", true, plain(n.Value))
			add("in capitals", false, plain(strings.ToUpper(n.Value)))
			add("misspelt", false, plain(string([]rune(n.Value)[1:])+"x"))
		}
	case n.Kind == yaml.SequenceNode && values != nil:
		for _, separator := range []string{" ", ",", ", "} {
			add(fmt.Sprintf("joined by %q", separator), true, &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str", Value: strings.Join(values, separator)})
		}
		add("its first item", false, n.Content[0])
		var pairs []*yaml.Node
		for _, item := range n.Content {
			pairs = append(pairs, item, plain("true"))
		}
		add("its items as keys", false, &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: pairs})
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		var items []*yaml.Node
		for i := 0; i < len(n.Content); i += 2 {
			items = append(items, plain(n.Content[i].Value+"="+n.Content[i+1].Value))
		}
		add("as assignments", false, list(items...))
		add("one assignment", false, items[0])
		add("its values", false, n.Content[1])
	}
	return mutants
}

// rawScalar returns a node that is printed without quotes.
func rawScalar(value string) *yaml.Node {
	var document yaml.Node
	if yaml.Unmarshal([]byte(value), &document) != nil || len(document.Content) == 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	}
	n := document.Content[0]
	n.Line, n.Column = 0, 0
	return n
}

// scalarValues returns the values of a list of scalars.
func scalarValues(n *yaml.Node) []string {
	var values []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return nil
		}
		values = append(values, item.Value)
	}
	return values
}
