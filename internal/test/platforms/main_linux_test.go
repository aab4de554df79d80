//go:build linux

package platforms

import (
	"os"
	"testing"

	"caprun/internal/test/command"
)

func TestMain(m *testing.M) { os.Exit(command.Main(m)) }
