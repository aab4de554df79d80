package optest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/seal/internal/op"
)

// TestNumbers compares the numbers of the system calls with those of x/sys, on any machine.
func (b *BackEnd) TestNumbers(t *testing.T) {
	t.Helper()
	calls := b.calls(t)
	if len(b.Numbers) != int(op.Syscalls) {
		t.Fatalf("%d numbers, want %d", len(b.Numbers), op.Syscalls)
	}
	for s := range op.Syscalls {
		if got, ok := calls[b.Numbers[s]]; !ok || got != s {
			t.Errorf("%v has the number %d", s, b.Numbers[s])
		}
	}
}

// calls returns the system calls of package op by their numbers in x/sys.
func (b *BackEnd) calls(t *testing.T) map[int64]op.Sys {
	t.Helper()
	out, err := exec.Command(requires.Tool(t, "go"), "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(strings.TrimSpace(string(out)), "unix", "zsysnum_linux_"+b.Architecture+".go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]op.Sys{}
	for s := range op.Syscalls {
		byName[s.String()] = s
	}
	calls := map[int64]op.Sys{}
	for _, match := range regexp.MustCompile(`(?m)^\s*SYS_(\w+)\s*= (\d+)$`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseInt(match[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := byName[strings.ToLower(match[1])]; ok {
			calls[n] = s
		}
	}
	return calls
}
