package kubernetes

import (
	"fmt"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
)

// container is a container of a pod.
type container struct {
	*pod
	containers.Draft
	node            *tree.Node
	context, shared *tree.Node // the security contexts of the container and of the pod
	name            string
	expanded        int // bytes of texts with the values of variables
}

// container reads a container. place names it if it has no name.
func (p *pod) container(n *tree.Node, place string) *declared.Process {
	name := n.Get("name").Text()
	if name == "" {
		name = place
	}
	at := n.Source()
	if e, ok := n.Entry("name"); ok {
		at = e.Source()
	}
	c := &container{
		pod: p, node: n, context: n.Get("securityContext"), shared: p.spec.Get("securityContext"), name: name,
		Draft: containers.Draft{Process: &declared.Process{Name: p.name + "/" + containers.Short(name), At: at}},
	}
	c.ClearEnv()
	for _, e := range n.Entries {
		p.field(c.AddFinding, e, containerFields[:], "a container", containerContext[:], podContext[:])
	}
	if c.context != nil {
		for _, e := range c.context.Entries {
			p.field(c.AddFinding, e, containerContext[:], "the securityContext of a container", podContext[:])
		}
	}
	user, notRoot := c.identity()
	c.groups()
	c.escalation()
	c.capabilities(user, notRoot)
	c.environment()
	c.command()
	c.podLosses()
	c.contextLosses()
	c.volumes()
	return c.Process
}

// setting returns the field of the container's security context, or else that of the pod.
// ok is false if both are absent or null.
func (c *container) setting(field string) (e tree.Entry, ok bool) {
	for _, context := range [...]*tree.Node{c.context, c.shared} {
		if e, ok := context.Entry(field); ok && !e.Value.Null {
			return e, true
		}
	}
	return tree.Entry{}, false
}

// own returns a field of the container's security context.
func (c *container) own(field string) (e tree.Entry, ok bool) {
	e, ok = c.context.Entry(field)
	return e, ok && !e.Value.Null
}

// boolean returns the value of a field, false for one that the API server refuses.
func (c *container) boolean(e tree.Entry) (v, ok bool) {
	if v, ok = e.Value.Bool(); !ok {
		c.refuse(e, "write true or false without quotes", "a boolean")
	}
	return v, ok
}

// refuse reports a value that the API server refuses because of its type.
func (c *container) refuse(e tree.Entry, hint, want string) {
	c.AddFinding(declared.Refused, e.Source(), hint, "Kubernetes refuses %s: the value is not %s", e.Key, want)
}

// maxID is the largest user and group ID of Kubernetes.
const maxID = 1<<31 - 1

// number returns a user or group ID. A notation that other readers can take for another
// number is an error.
func (c *container) number(n *tree.Node, at declared.Source, field string) (v uint64, ok bool) {
	if v, ok = n.Uint(maxID); ok {
		return v, true
	}
	read, ok := n.Number()
	if !ok || read < 0 || read > maxID {
		return 0, false
	}
	c.AddFinding(declared.Syntax, at, fmt.Sprintf("write %d", read), "%s is not in plain decimal digits: Kubernetes reads %s as %d, and other readers can differ",
		field, containers.Short(n.Value), read)
	return uint64(read), true
}

// id returns the value of a field with a user or group ID.
func (c *container) id(field string) (id *uint32, at declared.Source) {
	e, ok := c.setting(field)
	if !ok {
		return nil, declared.Source{}
	}
	v, ok := c.number(e.Value, e.Source(), field)
	if !ok {
		c.refuse(e, "write a number without quotes", "a number from 0 to 2147483647")
		return nil, e.Source()
	}
	number := uint32(v)
	return &number, e.Source()
}

// identity declares the user and the group. notRoot reports that the user is not known, and
// is not root.
func (c *container) identity() (user containers.User, notRoot bool) {
	c.UserHint = "declare runAsUser and runAsGroup, or runAsNonRoot: true"
	uid, uidAt := c.id("runAsUser")
	gid, gidAt := c.id("runAsGroup")
	nonRoot, has := c.setting("runAsNonRoot")
	required := false
	if has {
		required, _ = c.boolean(nonRoot)
	}
	if uid != nil {
		if *uid == 0 && required {
			c.AddFinding(declared.Refused, uidAt, "declare another user, or remove runAsNonRoot", "the kubelet refuses uid 0: runAsNonRoot is true")
		}
		return c.engine.SetIDs(&c.Draft, *uid, uidAt, gid, gidAt), false
	}
	if required {
		c.AddLoss(nonRoot.Source(), "runAsNonRoot: true: the image decides the user, which is not root")
	} else {
		c.UnknownUser(c.At, "the image decides the user")
	}
	if gid != nil {
		c.AddLoss(gidAt, "the process has the group %d; a profile cannot have a group without a user", *gid)
	}
	if required {
		return containers.OtherUser, true
	}
	return containers.AnyUser, false
}

// maxItems is the largest number of groups and of sysctls of a pod that each of its
// containers gets here.
const maxItems = 1024

// groups declares the supplementary groups.
func (c *container) groups() {
	if e, ok := c.shared.Entry("supplementalGroups"); ok && !e.Value.Null {
		for n, g := range e.Value.Items {
			if n == maxItems {
				c.AddLoss(e.Source(), "a profile cannot have so many groups")
				break
			}
			if v, ok := c.number(g, g.Source(), "supplementalGroups"); ok {
				c.Group(fmt.Sprint(v), g.Source())
			} else {
				c.AddFinding(declared.Refused, g.Source(), "write numbers without quotes", "Kubernetes refuses supplementalGroups: a value is not a number from 0 to 2147483647")
			}
		}
		if e.Value.Kind != tree.List {
			c.refuse(e, "write a list of numbers", "a list")
		}
	}
	if e, ok := c.shared.Entry("fsGroup"); ok && !e.Value.Null {
		if v, ok := c.number(e.Value, e.Source(), "fsGroup"); ok {
			c.Group(fmt.Sprint(v), e.Source())
			c.AddLoss(e.Source(), "fsGroup gives volumes the group %d", v)
		} else {
			c.refuse(e, "write a number without quotes", "a number from 0 to 2147483647")
		}
	}
}

// words returns the names of capabilities in a list.
func (c *container) words(list string) []containers.Word {
	caps, ok := c.own("capabilities")
	if !ok {
		return nil
	}
	e, ok := caps.Value.Entry(list)
	if !ok || e.Value.Null {
		return nil
	}
	var words []containers.Word
	for _, item := range e.Value.Items {
		if !item.IsText() {
			c.refuse(e, "write a list of names", "a list of names")
			continue
		}
		at := item.Source()
		at.Text = list + ": " + at.Text
		words = append(words, containers.Word{Text: item.Value, At: at})
	}
	if e.Value.Kind != tree.List {
		c.refuse(e, "write a list of names", "a list")
	}
	return words
}

// capabilities declares the capability sets.
func (c *container) capabilities(user containers.User, notRoot bool) {
	r := containers.Request{Add: c.words("add"), Drop: c.words("drop"), User: user, NotRoot: notRoot}
	if e, ok := c.own("privileged"); ok {
		if v, _ := c.boolean(e); v {
			at := e.Source()
			r.Privileged = &at
			c.AddLoss(at, "privileged gives the container every device of the node, and no seccomp filter, AppArmor profile or masked path")
		}
	}
	if e, ok := c.own("capabilities"); ok {
		for _, key := range e.Value.Entries {
			c.field(c.AddFinding, key, []string{"add", "drop"}, "the securityContext of a container")
		}
	}
	c.engine.Declare(&c.Draft, r)
}

// escalation declares no_new_privs.
func (c *container) escalation() {
	e, ok := c.own("allowPrivilegeEscalation")
	if !ok {
		return
	}
	allowed, ok := c.boolean(e)
	if !ok || allowed {
		return
	}
	c.Profile.NoNewPrivs = true
	c.From("no_new_privs", e.Source())
	if p, ok := c.own("privileged"); ok {
		if v, _ := p.Value.Bool(); v {
			c.AddFinding(declared.Refused, e.Source(), "remove one of the two", "Kubernetes refuses allowPrivilegeEscalation: false with privileged: true")
		}
	}
	for _, w := range c.words("add") {
		// ValidateSecurityContext compares with this text only.
		if w.Text == "CAP_SYS_ADMIN" {
			c.AddFinding(declared.Refused, w.At, "remove one of the two", "Kubernetes refuses CAP_SYS_ADMIN with allowPrivilegeEscalation: false")
		}
	}
}

// environment declares the variables with values.
func (c *container) environment() {
	for _, e := range c.node.Get("env").List() {
		name, value := e.Get("name").Text(), e.Get("value")
		at := e.Source()
		if entry, ok := e.Entry("name"); ok {
			at = entry.Source()
		}
		if entry, ok := e.Entry("value"); ok && value != nil {
			at = entry.Source()
			at.Text = name + "=" + value.Value
		}
		from := e.Get("valueFrom")
		switch {
		case from != nil && len(from.Keys()) > 0:
			c.AddLoss(at, "the variable %s has a value of the cluster: %s", containers.Short(name), containers.Short(from.Keys()[0]))
		case value != nil && !value.IsString():
			c.AddFinding(declared.Refused, at, "put the value in quotes", "Kubernetes refuses the value of the variable %s: it is not a text", containers.Short(name))
		default:
			text, ok := c.expand(value.Text())
			if !ok {
				c.AddLoss(at, "the variable %s has the values of other variables", containers.Short(name))
				continue
			}
			c.SetEnv(name, text, at)
		}
	}
	if e, ok := c.node.Entry("envFrom"); ok && len(e.Value.List()) > 0 {
		c.AddLoss(e.Source(), "envFrom adds variables of the cluster")
	}
}

// command declares the program, if the manifest replaces that of the image.
func (c *container) command() {
	command, args := c.node.Get("command"), c.node.Get("args")
	var words []string
	expanded := true
	for _, n := range append(append([]*tree.Node(nil), command.List()...), args.List()...) {
		if !n.IsText() {
			c.AddFinding(declared.Refused, n.Source(), "write a list of texts", "Kubernetes refuses the command: an item is not a text")
			return
		}
		text, ok := c.expand(n.Value)
		expanded = expanded && ok
		words = append(words, text)
	}
	at := func(n *tree.Node, key string) declared.Source {
		e, _ := c.node.Entry(key)
		return e.KeySource()
	}
	switch {
	case len(words) == 0:
	case len(command.List()) == 0:
		c.AddLoss(at(args, "args"), "args are passed to the program of the image")
	case !expanded:
		c.AddLoss(at(command, "command"), "the command has the values of variables")
	case args != nil:
		c.Command(words, at(command, "command"), at(args, "args"))
	default:
		c.Command(words, at(command, "command"))
	}
	if e, ok := c.node.Entry("workingDir"); ok && e.Value.IsText() {
		c.Cwd(e.Value.Value, e.Source())
	}
}
