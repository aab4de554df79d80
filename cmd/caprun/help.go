package main

import (
	"fmt"
	"slices"
	"strings"
)

// -h and the subcommand help print text that is made from the forms.

const (
	helpWidth  = 80
	helpColumn = 23 // where the description of a flag begins
)

const introduction = `caprun starts a program with exactly the privileges that a YAML profile ` +
	`declares, or does not start it. learn runs a program until the least privilege that it needs is known. ` +
	`The other commands review and seal profiles, review processes, and start nothing. ` +
	`"caprun COMMAND -h" prints the help of one command.`

// noArguments is the message for a command line without arguments, which is an error: a
// script that forgets them must not succeed.
const noArguments = `caprun: no arguments
caprun starts a program with exactly the privileges that a YAML profile
declares, or does not start it. To begin:
    caprun learn CMD                 find the capabilities that a program needs
    caprun check PROFILE             find mistakes and risks in a profile
    caprun explain PROFILE           print the privileges that a program gets
    caprun -profile PROFILE -- CMD   start a program
    caprun help                      print the usage
`

// profileHelp explains the arguments that select a profile; %s is their name.
const profileHelp = `%s is a file (a path with a slash, or ending in .yaml, .yml, .service or .json), ` +
	`NAME for /etc/caprun/NAME.yaml, builtin:NAME for a built-in profile, or - for standard input. ` +
	`Commands that review a profile take a sealed launcher, too.`

// helpForm is the form that prints the help of the others.
func helpForm(others []*form) *form {
	f := &form{name: "help", about: "print the usage, or the help of one command"}
	all := append(slices.Clip(others), f)
	command := operand{metavar: "COMMAND", takes: aChoice, optional: true, about: "command"}
	for _, form := range all {
		if form.name != "" {
			command.words = append(command.words, form.name)
		}
	}
	f.operands = []operand{command}
	f.run = func(c *Command, operands []string) int {
		for _, form := range all {
			if len(operands) > 0 && form.name == operands[0] {
				return c.printHelp(form)
			}
		}
		return c.print(usageText(all))
	}
	return f
}

// printHelp prints the help of a form; that of a launch is the whole usage text.
func (c *Command) printHelp(f *form) int {
	if f.name == "" {
		return c.print(usageText(forms()))
	}
	return c.print(f.helpText())
}

// usageText returns the whole usage text.
func usageText(all []*form) string {
	var b strings.Builder
	b.WriteString("Usage:\n")
	for _, f := range all {
		b.WriteString(f.synopsis())
	}
	b.WriteString("\n" + wrap(0, introduction) + "\n" + wrap(0, fmt.Sprintf(profileHelp, "A profile")))
	separate := true
	for _, f := range all {
		body := f.flagHelp()
		if f.help != "" {
			body = wrap(4, f.help) + body
		}
		if f.status != "" {
			body += wrap(4, f.status)
		}
		// No empty line between two forms of one line.
		if separate || body != "" {
			b.WriteString("\n")
		}
		b.WriteString(f.command() + ": " + f.about + "\n" + body)
		separate = body != ""
	}
	b.WriteString("\nExample:\n    $ caprun -profile web.yaml -- ./server -port 80\n")
	return b.String()
}

// helpText returns the help of a subcommand.
func (f *form) helpText() string {
	parts := []string{"Usage:\n" + f.synopsis(), wrap(0, sentence(f.about))}
	if f.help != "" {
		parts = append(parts, wrap(0, f.help))
	}
	if len(f.flags) > 0 {
		parts = append(parts, "Flags:\n"+f.flagHelp())
	}
	if name := f.profileName(); name != "" {
		parts = append(parts, wrap(0, fmt.Sprintf(profileHelp, name)))
	}
	if f.status != "" {
		parts = append(parts, wrap(0, f.status))
	}
	return strings.Join(parts, "\n")
}

// profileName returns the name in the help of the arguments that select a profile; empty
// if there are none.
func (f *form) profileName() string {
	for _, p := range f.operands {
		if p.takes == aProfile || p.takes == aComparable {
			return "A profile"
		}
	}
	for _, flag := range f.flags {
		if flag.takes == aProfile {
			return flag.metavar + " of -" + flag.name
		}
	}
	return ""
}

// synopsis returns the usage of the form and of its variant, with flags and operands.
func (f *form) synopsis() string {
	text := ""
	for _, u := range f.usages() {
		var words []string
		for _, flag := range u.flags {
			word := "-" + flag.name
			switch {
			case flag.takes == aChoice:
				word += " " + strings.Join(flag.words, "|")
			case flag.takesValue():
				word += " " + flag.metavar
			}
			if !u.requires(flag) {
				word = "[" + word + "]"
			}
			if flag.repeated {
				word += "..."
			}
			words = append(words, word)
		}
		text += layOut("    "+f.command(), append(words, operandWords(u.operands)...))
	}
	return text
}

// operandWords returns operands as the synopsis shows them.
func operandWords(operands []operand) []string {
	var words []string
	open := ""
	for _, p := range operands {
		word := p.metavar
		if p.takes == aChoice && !p.optional {
			word = strings.Join(p.words, "|")
		}
		if p.takes == aProgram {
			words = append(words, "[--]")
		}
		if p.optional {
			word = "[" + word
			open += "]"
		}
		if p.many {
			word += "..."
		}
		words = append(words, word)
	}
	if open != "" {
		words[len(words)-1] += open
	}
	return words
}

// flagHelp returns the descriptions of the flags.
func (f *form) flagHelp() string {
	var b strings.Builder
	for _, flag := range f.flags {
		head := "    -" + flag.name
		if flag.takesValue() {
			head += " " + flag.metavar
		}
		about := flag.about
		if flag.takes == aChoice {
			about += ": " + alternatives(flag.words)
		}
		if flag.def != "" {
			about += " (default " + flag.def + ")"
		}
		about = sentence(about)
		if flag.more != "" {
			about += " " + flag.more
		}
		text := wrap(helpColumn, about)
		fmt.Fprintf(&b, "%-*s%s", helpColumn, head, text[helpColumn:])
	}
	return b.String()
}

// sentence makes a sentence of a description in a menu.
func sentence(about string) string { return strings.ToUpper(about[:1]) + about[1:] + "." }

// wrap breaks text into lines indented by a number of spaces.
func wrap(indent int, text string) string {
	margin := strings.Repeat(" ", indent)
	words := strings.Fields(text)
	return fillLines(margin+words[0], margin, words[1:])
}

// layOut appends words to head; further lines are indented by its length.
func layOut(head string, words []string) string {
	return fillLines(head, strings.Repeat(" ", len(head)+1), words)
}

// fillLines appends words to line, and begins further lines with margin.
func fillLines(line, margin string, words []string) string {
	var b strings.Builder
	for _, word := range words {
		if len(line)+1+len(word) > helpWidth {
			b.WriteString(line + "\n")
			line = margin + word
		} else {
			line += " " + word
		}
	}
	return b.String() + line + "\n"
}
