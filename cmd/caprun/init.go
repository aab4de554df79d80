package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// With -init caprun supervises the program that it starts: docs/init.md. The
// supervisor starts caprun again as its child before it has changed anything,
// and that child carries out the launch as any other caprun does.

// childArgument is the first argument of the caprun that a supervisor starts.
// The second is a descriptor to read an order from, the others are the
// command line of the program.
//
// Whoever writes it himself gets what "caprun -profile -" would give him: the
// profile comes from a descriptor that he has opened, and he passes on
// privilege that he has, for caprun is never set-id.
const childArgument = "-init-child"

// encode writes an order for the child to read: a line of numbers, the name of
// the profile, its text. A path need not be UTF-8.
func (o order) encode() []byte {
	head := fmt.Sprintf("%d %t %t %d %d\n", o.Parent, o.Strict, o.DryRun, len(o.Profile), len(o.Text))
	return slices.Concat([]byte(head), []byte(o.Profile), o.Text)
}

// decodeOrder reads what encode wrote, whole.
func decodeOrder(data []byte) (o order, err error) {
	head, rest, _ := bytes.Cut(data, []byte("\n"))
	fields := strings.Split(string(head), " ")
	if len(fields) != 5 {
		return o, errOrder
	}
	var numbers [3]int
	for n, field := range []string{fields[0], fields[3], fields[4]} {
		if numbers[n], err = strconv.Atoi(field); err != nil || numbers[n] < 0 {
			return o, errOrder
		}
	}
	o.Parent, o.Strict, o.DryRun = numbers[0], fields[1] == "true", fields[2] == "true"
	if o.Parent < 1 || numbers[1] > len(rest) || numbers[2] != len(rest)-numbers[1] {
		return o, errOrder
	}
	o.Profile, o.Text = string(rest[:numbers[1]]), rest[numbers[1]:]
	return o, nil
}

// errOrder is what a supervisor that ended early leaves, too.
var errOrder = errors.New("it is not what a supervisor sends")
