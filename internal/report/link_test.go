package report

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// hostileNames are names of files that mean something in a link, in markup or in a terminal.
var hostileNames = []string{
	`"><script>alert(1)<script>`, "javascript:alert(1)", "data:text/html,x", `o'clock" onmouseover="x`, "line\nbreak", "\u202egpj.\u202c evil", "שלום-עולם",
	strings.Repeat("a", 255), "%2e%2e%2f", "a#L1?x=y", "&lt;b&gt;", "tab\tname", "-->", "]]>", "\x1b[31mred", " ::error::x", "\xff\xfe", "\u0085\u2028", "##[error]", "C:\\x", "~",
	"</title></style><svg onload=x>",
}

// TestLink: a browser resolves the link to the file, and to nothing else.
func TestLink(t *testing.T) {
	for _, name := range hostileNames {
		for _, dir := range []string{".", "out", "../x", "/srv/www"} {
			for _, file := range []string{name, "profiles/" + name, "../" + name} {
				ref := string(link(dir, file, 12))
				parsed, err := url.Parse(ref)
				if err != nil || parsed.IsAbs() || parsed.Host != "" || parsed.RawQuery != "" || parsed.Fragment != "L12" {
					t.Fatalf("%q: %v, %v", ref, parsed, err)
				}
				if strings.Trim(ref, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~/%#") != "" {
					t.Errorf("%q has other characters", ref)
				}
				from, _ := filepath.Abs(dir)
				want, _ := filepath.Abs(file)
				page := &url.URL{Scheme: "file", Path: from + "/page.html"}
				if got := page.ResolveReference(parsed); got.Path != want || got.Scheme != "file" {
					t.Errorf("%q in %s leads to %q", ref, dir, got.Path)
				}
			}
		}
	}
	for file, want := range map[string]reference{"": "", "a.yaml": "../a.yaml", "out/a.yaml": "a.yaml"} {
		if got := link("out", file, 0); got != want {
			t.Errorf("%q: %q", file, got)
		}
	}
}
