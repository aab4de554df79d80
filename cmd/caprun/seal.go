package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/policy"
	"caprun/seal"
)

// sealOptions are the flags of seal.
type sealOptions struct {
	seal.Options

	out   string // the file to write; empty for the name of the profile
	check string // the file to compare; empty to write one
}

// sealForm is the form that makes a sealed launcher.
func sealForm() *form {
	var o sealOptions
	return &form{
		name: "seal", about: "write a launcher of a few kilobytes for one profile",
		help: "A sealed launcher is an executable for container images that does what caprun does for one profile. " +
			"Put it into the image, and run it with the program and its arguments: LAUNCHER [--] CMD. " +
			"caprun looks up names of users and groups only in the image, with -root.",
		flags: []*formFlag{
			{name: "o", metavar: "FILE", about: "launcher to write", value: nonEmpty(&o.out, aFile),
				more: "The default is the name of the profile, or of its file without .yaml, in the working directory."},
			archFlag(&o.Arch),
			{name: "root", metavar: "DIR", about: "root directory of the image, to look up names", value: nonEmpty(&o.Root, aFile)},
			{name: "check", metavar: "FILE", about: "compare a launcher with the profile, and write nothing", value: nonEmpty(&o.check, aFile)},
		},
		operands: []operand{{metavar: "PROFILE", takes: aProfile, about: "profile"}},
		status: "Exit status: 0 success, 1 the profile cannot be sealed or the launcher of -check differs, " +
			"2 usage error, or a file that cannot be read or written.",
		run: func(c *Command, profiles []string) int { return c.seal(o, profiles[0]) },
	}
}

// archFlag is the flag -arch. Its default is not a constant, so that the help is the same
// on every machine.
func archFlag(a *seal.Arch) *formFlag {
	v := value{takes: aChoice}
	for _, known := range seal.Archs() {
		v.words = append(v.words, known.String())
	}
	v.store = func(text string) error {
		var err error
		if *a, err = seal.ParseArch(text); err != nil {
			return unknownWord("arch", text, v.words)
		}
		return nil
	}
	return &formFlag{name: "arch", metavar: "ARCH", about: "architecture of the launcher", value: v,
		more: "The default is that of this machine, and with -check that of the launcher."}
}

// seal writes the launcher of a profile, or compares one with it.
func (c *Command) seal(o sealOptions, profile string) int {
	if o.check != "" && o.out != "" {
		return c.usageError("-o and -check are mutually exclusive")
	}
	p, text, status := c.readProfile(profile, exitFindings)
	switch {
	case p == nil:
		return status
	case o.check != "":
		return c.checkSealed(o, p, text)
	case o.out == "":
		if o.out = cmp.Or(p.Name, nameOfFile(p.File)); o.out == "" {
			return c.usageError("the profile has no name; pass -o FILE")
		}
	}
	if o.Arch == 0 {
		o.Arch = seal.DefaultArch()
	}
	file, err := seal.Seal(p, o.Options)
	if err != nil {
		return c.cannotSeal(err, text)
	}
	if err := writeExecutable(o.out, file); err != nil {
		return c.fail(err)
	}
	return c.print(fmt.Sprintf("%s: %d bytes, %v\n", printable(o.out), len(file), o.Arch))
}

// nameOfFile returns the name of a profile that declares none: that of its file, without
// directory and extension. It is empty for a file that does not end in .yaml or .yml, such as
// a launcher, and if a profile cannot have the name.
func nameOfFile(file string) string {
	base := filepath.Base(file)
	name := strings.TrimSuffix(strings.TrimSuffix(base, ".yaml"), ".yml")
	if p, _ := policy.Read("", []byte("version: 1\nname: '"+name+"'\n")); name == base || p == nil || p.Name != name {
		return ""
	}
	return name
}

// checkSealed compares a launcher with what a profile seals to.
func (c *Command) checkSealed(o sealOptions, p *policy.Profile, text []byte) int {
	file, err := machine.ReadTrusted(o.check, seal.MaxSize+1, false)
	if err != nil {
		return c.fail(fmt.Errorf("%s: %w", o.check, withoutPath(err)))
	}
	err = seal.Check(file, p, o.Options)
	switch {
	case err == nil:
		return c.print(fmt.Sprintf("%s: what %s seals to\n", printable(o.check), p.File))
	case isDifference(err):
		c.ReportError(fmt.Errorf("%s: not what %s seals to: %w", o.check, p.File, err))
		return exitFindings
	}
	return c.cannotSeal(err, text)
}

// isDifference reports whether an error of seal.Check is about the launcher, and not about
// the profile.
func isDifference(err error) bool {
	var d *seal.DifferenceError
	return errors.As(err, &d) || errors.Is(err, seal.ErrNotSealed) || errors.Is(err, seal.ErrForm) || errors.Is(err, seal.ErrModified)
}

// cannotSeal reports why a profile cannot be sealed.
func (c *Command) cannotSeal(err error, text []byte) int {
	var none *engine.NoPlanError
	if errors.As(err, &none) {
		return c.reportFindings(none.Diagnostics, text, exitFindings)
	}
	c.ReportError(err)
	return exitFindings
}
