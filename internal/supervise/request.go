package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Request is a launch whose profile has been read, and not yet parsed.
type Request struct {
	Profile string // what messages call the profile
	Text    []byte

	// Strict tells that the profile was read for a caller with privilege: no
	// other user may be able to write it.
	Strict bool
	DryRun bool     // do everything but the exec, and print the plan
	Argv   []string // the program and its arguments; empty for the command of the profile

	// From is the state of this process. The launch reads it again before the first
	// step.
	From cred.Cred
	// Death is the parent-death signal of this process: the target gets it from
	// Start, and the supervisor keeps it in Supervise.
	Death machine.DeathSignal

	// supervisor is the pid of the supervisor of this process, 0 without one.
	supervisor int
}

// encode returns the request as the supervisor sends it to the child: a line of
// numbers, the name of the profile, its text. A path need not be UTF-8. The child
// reads Argv from its own arguments, and its state from the kernel.
func (r Request) encode() []byte {
	head := fmt.Sprintf("%d %t %t %d %d\n", r.supervisor, r.Strict, r.DryRun, len(r.Profile), len(r.Text))
	return slices.Concat([]byte(head), []byte(r.Profile), r.Text)
}

// decodeRequest decodes a whole request, and refuses a part of one.
func decodeRequest(data []byte) (r Request, err error) {
	head, rest, _ := bytes.Cut(data, []byte("\n"))
	fields := strings.Split(string(head), " ")
	if len(fields) != 5 {
		return r, errRequest
	}
	var numbers [3]int
	for n, field := range []string{fields[0], fields[3], fields[4]} {
		if numbers[n], err = strconv.Atoi(field); err != nil || numbers[n] < 0 {
			return r, errRequest
		}
	}
	r.supervisor, r.Strict, r.DryRun = numbers[0], fields[1] == "true", fields[2] == "true"
	if r.supervisor < 1 || numbers[1] > len(rest) || numbers[2] != len(rest)-numbers[1] {
		return r, errRequest
	}
	r.Profile, r.Text = string(rest[:numbers[1]]), rest[numbers[1]:]
	return r, nil
}

// errRequest is also the error after a supervisor that ended before it had sent
// everything.
var errRequest = errors.New("it is not what a supervisor sends")
