package main

import (
	"flag"
	"os"
	"testing"

	"caprun/internal/supervise"
	"caprun/internal/test/command"
)

var updateScripts = flag.Bool("update", false, "rewrite the expected output in the scripts, and the synopsis of caprun(1)")

func TestMain(m *testing.M) {
	offFirstThread = countOffFirstThread()
	os.Exit(command.Main(m))
}

// Short names of functions that many tests use.
var (
	caprun           = command.Caprun
	program          = command.Program
	outcome          = command.Run
	profileFile      = command.ProfileFile
	searchable       = command.Searchable
	everyoneSearches = command.EveryoneSearches
	testNumber       = command.Number
)

const (
	plainProfile = command.PlainProfile
	hangs        = command.Hangs

	exitRefused  = supervise.StatusRefused
	exitNoExec   = supervise.StatusNoExec
	exitNotFound = supervise.StatusNotFound
)
