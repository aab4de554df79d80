package main

import (
	"bytes"
	"fmt"
	"strings"
)

// overrides are the findings of lintian(1) that are meant to be.
const overrides = `# A launch must not depend on a loader and on libraries that others can replace.
caprun: statically-linked-binary [usr/bin/caprun]
`

// apache is the notice of a module with the Apache licence, whose text Debian has.
const apache = `Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.

On Debian systems, the text of the License is in
/usr/share/common-licenses/Apache-2.0.
`

// copyright returns the licences in the format of Debian's
// copyright-format 1.0. The modules are not files of this source: a paragraph describes
// what of them is linked into caprun.
func copyright(common []file, licences []licence) []byte {
	var b bytes.Buffer
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n" +
		"Upstream-Name: caprun\n" +
		"Comment: The paragraphs with a path of a Go module describe the module and the\n" +
		" standard library of Go (std), which are linked into /usr/bin/caprun.\n")
	for _, f := range common {
		if f.name == "LICENSE" {
			paragraph(&b, "*", []string{"2026 the caprun authors"}, "BSD-3-Clause", string(f.data))
		}
	}
	for _, l := range licences {
		id, text := strings.ReplaceAll(l.id, " AND ", " and "), ""
		if l.id == "Apache-2.0" {
			text = apache
		}
		for _, f := range l.texts {
			if l.id != "Apache-2.0" && f.name != "NOTICE" {
				text += string(f.data) + "\n"
			}
		}
		paragraph(&b, l.module+"/*", l.copyright, id+"~"+strings.ReplaceAll(l.module, "/", "-"), text)
	}
	return b.Bytes()
}

// paragraph writes a paragraph about files with the text of their licence.
func paragraph(b *bytes.Buffer, files string, holders []string, name, text string) {
	fmt.Fprintf(b, "\nFiles: %s\nCopyright: %s\nLicense: %s\n", files, strings.Join(holders, "\n "), name)
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		line = strings.TrimRight(line, " \t\n")
		if line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
}
