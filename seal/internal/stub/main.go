// Command stub writes a program that only executes its arguments: the fastest that a
// sealed launcher could be. The benchmark measures launchers next to it.
//
//	go run ./seal/internal/stub FILE
package main

import (
	"fmt"
	"os"
	"runtime"

	"caprun/seal/internal/amd64"
	"caprun/seal/internal/arm64"
	"caprun/seal/internal/image"
	"caprun/seal/internal/op"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: stub FILE")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "stub:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	machine, assemble := image.AMD64, amd64.Assemble
	if runtime.GOARCH == "arm64" {
		machine, assemble = image.ARM64, arm64.Assemble
	}
	code, err := assemble(program(), image.CodeAddress)
	if err != nil {
		return err
	}
	file, err := image.Write(image.Image{Machine: machine, Code: code, Profile: []byte("version: 1\n"), Facts: []byte("stub\n")})
	if err != nil {
		return err
	}
	return os.WriteFile(path, file, 0o755)
}

// program executes argv[1] with the arguments from there on and the same environment.
func program() *op.Program {
	b := &op.Builder{}
	b.Start(op.R5)
	b.Load(op.R0, 8, op.R5, 0) // argc
	b.Left(op.R0, 3)
	b.Copy(op.R4, op.R5)
	b.AddReg(op.R4, op.R0)
	b.Add(op.R4, 16) // the addresses of the variables
	b.Add(op.R5, 16) // the addresses of the arguments
	b.Load(op.R0, 8, op.R5, 0)
	b.Syscall(op.Execve, op.Of(op.R0), op.Of(op.R5), op.Of(op.R4))
	b.Syscall(op.ExitGroup, op.Int(126))
	b.Text("")
	return b.Program()
}
