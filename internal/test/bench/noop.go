package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// done is the exit status of the started program. It is not 0: a launcher that exits
// without starting the program must not count as fast.
const done = 7

// exits are the instructions that call exit_group(done), by architecture.
var exits = [...]struct{ arch, code string }{
	{"amd64", "mov $231, %%eax; mov $7, %%edi; syscall"},
	{"arm64", "mov x8, #94; mov x0, #7; svc #0"},
}

// buildNoop builds the program to start, and describes it: two instructions if gcc is
// installed, or else a Go program, whose runtime then is part of every line of the
// table.
func buildNoop(dir string) (path, how string, err error) {
	path = filepath.Join(dir, "noop")
	for _, e := range exits {
		if e.arch != runtime.GOARCH || runtime.GOOS != "linux" {
			continue
		}
		if gcc, err := exec.LookPath("gcc"); err == nil {
			src := fmt.Sprintf("void _start(void) { __asm__ volatile(%q :: ); __builtin_unreachable(); }\n", e.code)
			file := path + ".c"
			if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
				return "", "", err
			}
			if command(gcc, "-static", "-nostdlib", "-O2", "-o", path, file) == nil {
				return path, "a static program that only exits (gcc -nostdlib)", nil
			}
		}
	}
	file := path + ".go"
	src := fmt.Sprintf("package main\n\nimport \"os\"\n\nfunc main() { os.Exit(%d) }\n", done)
	if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
		return "", "", err
	}
	return path, "a Go program that only exits (no usable gcc)", goBuild(path, file)
}

// goBuild builds a Go program as make dist builds caprun.
func goBuild(out, what string) error {
	linked := out + ".linked"
	if err := command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", linked, what); err != nil {
		return err
	}
	return install(linked, out)
}

// goRun runs a Go program that writes a file.
func goRun(pkg, out string) error { return command("go", "run", pkg, out) }

// install copies a program in one write, as an installation does. The writes decide
// how the page cache stores the file, and so how much a page fault maps: a launch of
// a file as the linker wrote it, page by page, takes a tenth longer.
func install(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// command runs a build step; its output is part of the error.
func command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}
