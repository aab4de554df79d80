package main

import (
	_ "embed"
	"fmt"
	"strings"

	"caprun/engine/review"
	"caprun/profiles"
)

// The scripts, with places such as @forms@ for what is made from the forms.
var (
	//go:embed completion/bash
	bashScript string
	//go:embed completion/zsh
	zshScript string
	//go:embed completion/fish
	fishScript string
)

// completionForm is the form that prints the completion script of a shell.
func completionForm() *form {
	shells := []string{"bash", "zsh", "fish"}
	return &form{
		name: "completion", about: "print the completion script of a shell",
		operands: []operand{{metavar: "SHELL", takes: aChoice, words: shells, about: "shell"}},
		run: func(c *Command, operands []string) int {
			return c.print(completionScript(operands[0], newOffers()))
		},
	}
}

// offers is what a script completes. The script contains all of it: to ask caprun
// while a line is typed would start any program with that name.
type offers struct {
	forms           []*form
	builtins, rules []string
}

func newOffers() offers {
	o := offers{forms: forms(), builtins: profiles.Names()}
	for _, r := range review.Rules() {
		o.rules = append(o.rules, r.Name)
	}
	return o
}

// completionScript returns the script of a shell, which is bash, zsh or fish.
func completionScript(shell string, o offers) string {
	switch shell {
	case "bash":
		return o.bash()
	case "zsh":
		return o.zsh()
	default:
		return o.fish()
	}
}

// words returns the kind of an argument in the bash and fish scripts, with the words
// that it can be.
func (o offers) words(takes kind, values []string) string {
	switch takes {
	case aSwitch:
		return "switch"
	case aChoice, aSuggestion:
		return "words " + strings.Join(values, " ")
	case aProfile:
		return "profile"
	case aComparable, aCheckPath:
		return "checked"
	case aFile:
		return "file"
	case aProgram:
		return "program"
	case aProcess:
		return "process"
	case aBuiltin:
		return "words " + strings.Join(o.builtins, " ")
	case aRule:
		return "words " + strings.Join(o.rules, " ")
	}
	return "text"
}

// builtinProfiles returns the built-in profiles, as -profile takes them.
func (o offers) builtinProfiles() string { return "builtin:" + strings.Join(o.builtins, " builtin:") }

// names returns the names of the subcommands.
func (o offers) names(separator string) string {
	var names []string
	for _, f := range o.forms {
		if f.name != "" {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, separator)
}

// fill replaces the places of a script, given as pairs of place and text.
func fill(script string, places ...string) string {
	return strings.NewReplacer(places...).Replace(script)
}

// position returns the shell pattern for the number of an operand.
func (p operand) position(n int) string {
	if p.many {
		return "*"
	}
	return fmt.Sprint(n)
}

func (o offers) bash() string {
	var flags, values, operands []string
	for _, f := range o.forms {
		var names []string
		for _, flag := range f.flags {
			names = append(names, "@"+flag.name)
			values = append(values, fmt.Sprintf("  %s/%s) REPLY='%s' ;;", f.key(), flag.name, o.words(flag.takes, flag.words)))
		}
		if names != nil {
			flags = append(flags, fmt.Sprintf("  %s) REPLY='%s' ;;", f.key(), strings.Join(names, " ")))
		}
		for n, p := range f.operands {
			operands = append(operands, fmt.Sprintf("  %s/%s) REPLY='%s' ;;", f.key(), p.position(n), o.words(p.takes, p.words)))
		}
	}
	return fill(bashScript,
		"@flags@", strings.Join(flags, "\n"), "@values@", strings.Join(values, "\n"), "@operands@", strings.Join(operands, "\n"),
		"@names@", o.names(" | "), "@forms@", o.names(" "), "@builtins@", o.builtinProfiles())
}

func (o offers) fish() string {
	var forms, flags, values, operands []string
	for _, f := range o.forms {
		if f.name != "" {
			forms = append(forms, fmt.Sprintf("    printf '%%s\\t%%s\\n' %s %s", f.name, fishQuote(f.about)))
		}
		if f.flags != nil {
			flags = append(flags, "        case "+f.key())
		}
		for _, flag := range f.flags {
			flags = append(flags, fmt.Sprintf("            printf '%%s\\t%%s\\n' %s %s", flag.name, fishQuote(flag.about)))
			values = append(values, fmt.Sprintf("        case '%s %s'", f.key(), flag.name),
				"            printf '%s\\n' "+o.words(flag.takes, flag.words))
		}
		for n, p := range f.operands {
			operands = append(operands, fmt.Sprintf("        case '%s %s'", f.key(), p.position(n)),
				"            printf '%s\\n' "+o.words(p.takes, p.words))
		}
	}
	return fill(fishScript,
		"@forms@", strings.Join(forms, "\n"), "@flags@", strings.Join(flags, "\n"), "@values@", strings.Join(values, "\n"),
		"@operands@", strings.Join(operands, "\n"), "@names@", o.names(" "), "@builtins@", o.builtinProfiles())
}

func (o offers) zsh() string {
	var forms, cases []string
	launch := ""
	for _, f := range o.forms {
		specs := strings.Join(o.zshSpecs(f), " \\\n")
		if f.name == "" {
			launch = specs
			continue
		}
		forms = append(forms, "      "+zshQuote(f.name+":"+f.about))
		cases = append(cases, "    ("+f.name+")")
		if specs == "" {
			cases = append(cases, "      _message 'no more arguments'")
		} else {
			cases = append(cases, "      shift words", "      (( CURRENT-- ))", "      _arguments -S -A '-*' \\", specs)
		}
		cases = append(cases, "      return", "      ;;")
	}
	return fill(zshScript, "@forms@", strings.Join(forms, "\n"), "@cases@", strings.Join(cases, "\n"),
		"@launch@", launch, "@builtins@", o.builtinProfiles())
}

// zshSpecs returns the flags and operands of a form for _arguments of zsh.
func (o offers) zshSpecs(f *form) []string {
	escape := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`)
	var specs []string
	for _, flag := range f.flags {
		// With one dash or two, and only once.
		names := fmt.Sprintf("'(-%s --%[1]s)'{-%[1]s,--%[1]s}", flag.name)
		about := "[" + escape.Replace(flag.about) + "]"
		if flag.takesValue() {
			names += "="
			about += ":" + escape.Replace(flag.name) + ":" + o.zshAction(flag.takes, flag.words)
		}
		specs = append(specs, "        "+names+zshQuote(about))
	}
	for n, p := range f.operands {
		position := fmt.Sprint(n+1) + ":"
		action := o.zshAction(p.takes, p.words)
		switch {
		case p.many && f.name == "":
			// The completion of the program continues.
			position, action = "*:::", "_normal"
		case p.many:
			position = "*:"
		case p.takes == aProgram:
			// caprun has no flags after it.
			position = "(-)" + position
		}
		specs = append(specs, "        "+zshQuote(position+escape.Replace(p.about)+":"+action))
	}
	return specs
}

// zshAction returns the action of _arguments that completes an argument.
func (o offers) zshAction(takes kind, values []string) string {
	switch takes {
	case aChoice, aSuggestion, aBuiltin, aRule:
		return "(" + strings.TrimPrefix(o.words(takes, values), "words ") + ")"
	case aProfile:
		return "_caprun_profile"
	case aComparable, aCheckPath:
		return "_caprun_checked"
	case aFile:
		return "_caprun_files"
	case aProgram:
		// The space keeps _arguments from putting options before its own.
		return " _command_names -e"
	case aProcess:
		return "_caprun_process"
	}
	return " "
}

// zshQuote returns s as one word of a POSIX shell.
func zshQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// fishQuote returns s as one word of fish.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
