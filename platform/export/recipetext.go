package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"caprun/engine/cred"
	"caprun/internal/profiletext"
)

// yamlWriter writes the lines of a recipe.
type yamlWriter struct{ b strings.Builder }

func (w *yamlWriter) line(indent int, format string, args ...any) {
	w.b.WriteString(strings.Repeat("  ", indent) + fmt.Sprintf(format, args...) + "\n")
}

// comment writes a comment of several lines.
func (w *yamlWriter) comment(indent int, format string, args ...any) {
	const width = 78
	for _, line := range profiletext.Wrap(strings.Fields(fmt.Sprintf(format, args...)), width-2*indent) {
		w.line(indent, "# %s", line)
	}
}

// head writes how the launcher gets into the image.
func (w *yamlWriter) head(r *recipe, platform string) {
	w.comment(0, "The container starts as root, and its entrypoint is a sealed launcher, which sets the user and the privileges of the profile: "+
		"%s adds capabilities for root only. In the Dockerfile:", platform)
	root := ""
	if uid, gid, groups := r.KnownIDs(); !uid || !gid || !groups || r.Profile.User != "" {
		root = "-root /rootfs "
	}
	w.line(0, "#")
	w.line(0, "#     RUN caprun seal %s-o /out/%s %s.yaml", root, r.name, r.name)
	w.line(0, "#     ENTRYPOINT [\"/%s\"]", r.name)
	w.line(0, "#")
}

// capsComment says what the capabilities are for.
func (r *recipe) capsComment(indent int, w *yamlWriter) {
	var parts []string
	if r.launcher != 0 {
		verb := "are"
		if r.launcher.Len() == 1 {
			verb = "is"
		}
		parts = append(parts, fmt.Sprintf("%s %s for the launcher, which drops %s", sentence(short(r.launcher)), verb, them(r.launcher)))
	}
	if r.granted != 0 {
		parts = append(parts, "the profile grants "+sentence(short(r.granted)))
	}
	if parts == nil {
		w.comment(indent, "The launcher needs no capability, and the profile grants none.")
		return
	}
	text := strings.Join(parts, "; ") + "."
	w.comment(indent, "%s", strings.ToUpper(text[:1])+text[1:])
}

func them(caps cred.Caps) string {
	if caps.Len() == 1 {
		return "it"
	}
	return "them"
}

// short returns the names of capabilities without CAP_: first SETUID, as in the examples.
func short(caps cred.Caps) []string {
	names := upper(caps)
	for n := range names {
		names[n] = strings.TrimPrefix(names[n], "CAP_")
	}
	if n := slices.Index(names, "SETUID"); n > 0 && names[n-1] == "SETGID" {
		names[n-1], names[n] = names[n], names[n-1]
	}
	return names
}

// added returns all capabilities of the container as a list of YAML.
func (r *recipe) added() string {
	return "[" + strings.Join(slices.Concat(short(r.launcher), short(r.granted)), ", ") + "]"
}

// list returns strings as a list of YAML, each in double quotes. Both platforms replace
// variables after '$', and take "$$" for '$'.
func list(items []string) string {
	quoted := make([]string, 0, len(items))
	for _, s := range items {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(strings.ReplaceAll(s, "$", "$$")) // strings always have an encoding
		quoted = append(quoted, strings.TrimSuffix(b.String(), "\n"))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
