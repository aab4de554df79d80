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

// Request is a request to launch a target. The profile has been read but not parsed.
type Request struct {
	Profile string // the name of the profile in messages
	Text    []byte

	// Strict reports that the profile was read for a caller with privilege, so that no
	// other user can write it.
	Strict bool
	DryRun bool     // do every step except exec, and print the plan
	Group  bool     // Supervise forwards signals to the process group of the target
	Argv   []string // the target and its arguments; empty for the command of the profile

	// From is the state of this process. The launch reads it again before the first
	// step.
	From cred.Cred
	// Death is the parent-death signal of this process. Start passes it on to the
	// target; Supervise keeps it for the supervisor.
	Death machine.DeathSignal

	// supervisor is the process ID of the supervisor of this process; 0 without one.
	supervisor int
}

// encode returns the request as the supervisor sends it to the child: a line with
// numbers, the name of the profile, which may not be UTF-8, and the text. The child
// takes Argv from its own arguments, and reads its own state.
func (r Request) encode() []byte {
	head := fmt.Sprintf("%d %t %t %d %d\n", r.supervisor, r.Strict, r.DryRun, len(r.Profile), len(r.Text))
	return slices.Concat([]byte(head), []byte(r.Profile), r.Text)
}

// decodeRequest decodes a request. It refuses an incomplete one.
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

// errRequest is the error for a malformed request, and for an incomplete one of a
// supervisor that ended.
var errRequest = errors.New("malformed request")
