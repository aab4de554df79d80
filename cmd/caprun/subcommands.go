package main

// subcommands are recognised as the first argument only.
var subcommands = []subcommand{
	{"check", (*Command).check},
	{"rules", (*Command).rules},
	{"explain", (*Command).explain},
	{"diff", (*Command).diff},
	{"verify", (*Command).verify},
	{"show", (*Command).show},
	{"schema", (*Command).schema},
	{"profiles", (*Command).profiles},
	{"completion", (*Command).completion},
	{"version", (*Command).version},
	{"help", (*Command).help},
}
