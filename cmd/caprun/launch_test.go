package main

import (
	"strings"
	"testing"
)

// TestSelectsInit: selectsInit is true only for arguments of a launch with -init.
func TestSelectsInit(t *testing.T) {
	for args, want := range map[string]bool{
		"caprun -init -profile x -- y": true, "x --init=true --profile=x y": true, "caprun -profile x -- y -init": false, "caprun -init": false,
		"caprun -profile x y": false, "caprun -init=false -profile x y": false, "caprun check -init -profile x": false, "": false, "caprun": false,
		"caprun -bogus -init -profile x": false, "-init -profile x": false,
	} {
		if got := selectsInit(strings.Split(args, " ")[1:]); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}
