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
		"%s adds capabilities for root only. In the stage build of the Dockerfile, which has caprun and the profile:", platform)
	w.line(0, "#")
	root, last := "", "In the last stage:"
	if uid, gid, groups := r.KnownIDs(); !uid || !gid || !groups || r.Profile.User != "" {
		w.line(0, "#     COPY --from=base /etc/passwd /etc/group /rootfs/etc/")
		root, last = "-root /rootfs ", "In the last stage, which begins with FROM base:"
	}
	w.line(0, "#     RUN caprun seal %s-o /out/%s %s", root, r.name, profileArgument(r.Profile.File))
	w.line(0, "#")
	w.comment(0, "%s", last)
	w.line(0, "#")
	w.line(0, "#     COPY --from=build /out/%s /%s", r.name, r.name)
	w.line(0, "#     ENTRYPOINT [\"/%s\"]", r.name)
	w.line(0, "#")
}

// profileArgument returns the name of a profile for a command in a Dockerfile; "PROFILE" for
// a text that is not one word of a shell, is an option, or does not name a file.
func profileArgument(file string) string {
	const longest = 200 // of a line that is read
	special := func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("._-+@:/", r) }
	if file == "" || file[0] == '-' || strings.ContainsFunc(file, special) || profiletext.Inert(file, longest) != file {
		return "PROFILE"
	}
	return file
}

// capsComment says what the capabilities are for.
func (r *recipe) capsComment(indent int, w *yamlWriter) {
	var parts []string
	if r.launcher != 0 {
		verb := "are"
		if r.launcher.Len() == 1 {
			verb = "is"
		}
		parts = append(parts, fmt.Sprintf("%s %s for the launcher, which drops %s", sentence(short(r.launcher)), verb, itOrThem(r.launcher.Len())))
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

func itOrThem(n int) string {
	if n == 1 {
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

// quoteYAML returns a string in double quotes, in the syntax of JSON and YAML.
func quoteYAML(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // strings always have an encoding
	return strings.TrimSuffix(b.String(), "\n")
}

// escapeDollar returns a text for a place where both platforms replace variables after '$',
// and read "$$" as '$'.
func escapeDollar(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// list returns the words of a command as a list of YAML.
func list(items []string) string {
	quoted := make([]string, 0, len(items))
	for _, s := range items {
		quoted = append(quoted, quoteYAML(escapeDollar(s)))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
