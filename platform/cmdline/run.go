package cmdline

import (
	"slices"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
)

// run reads a command line of docker run or podman run.
func (c *command) run(engine containers.Engine) *problem {
	rest, p := c.subcommand()
	if p != nil {
		return p
	}
	c.ClearEnv()
	r := &runner{command: c, engine: engine}
	rest, p = r.flags(rest)
	if p != nil {
		return p
	}
	if len(rest) == 0 {
		return &problem{word{at: c.At}, "add the name of an image", "no image is declared"}
	}
	image := rest[0]
	if r.rootfs {
		c.AddLoss(image.at, "the container has the root directory %s", containers.Short(image.Text))
	}
	r.finish(rest[1:])
	c.Name = c.name + "-" + containers.Short(imageName(image.Text))
	return nil
}

// imageName returns the last part of the name of an image, without its version.
func imageName(image string) string {
	if n := strings.LastIndexByte(image, '/'); n >= 0 {
		image = image[n+1:]
	}
	image, _, _ = strings.Cut(image, "@")
	image, _, _ = strings.Cut(image, ":")
	return image
}

// subcommand returns the words after run or create.
func (c *command) subcommand() ([]word, *problem) {
	rest := c.args
	for len(rest) > 0 && strings.HasPrefix(rest[0].Text, "-") {
		skip := 1
		if slices.Contains(globalFlags[:], rest[0].Text) {
			skip = 2
		}
		rest = rest[min(skip, len(rest)):]
	}
	if len(rest) > 0 && rest[0].Text == "container" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil, &problem{word{at: c.At}, "write " + c.name + " run", "no subcommand is declared"}
	}
	hint := "want " + c.name + " run or " + c.name + " create"
	if rest[0].Text == "compose" {
		hint = "pass the compose file to caprun import"
	}
	if rest[0].Text != "run" && rest[0].Text != "create" {
		return nil, &problem{rest[0], hint, "unsupported subcommand " + quote(rest[0].Text)}
	}
	return rest[1:], nil
}

// runner reads the flags of a container.
type runner struct {
	*command
	engine     containers.Engine
	request    containers.Request
	user       *flag
	groups     []flag
	entrypoint *flag
	rootfs     bool
	keepID     *flag // --userns keep-id of podman
}

// flag is a flag with its value.
type flag struct {
	name, value string
	at          declared.Source
	expands     bool
}
