// Command check measures how fast caprun check reads many profiles.
//
//	go run ./internal/test/bench/check [-files N] [-rounds N] [-peers] [-memory]
//
// It generates profiles, the same in every run. It measures caprun check on them, a
// program that only reads them into the nodes of yaml.v3, and with -peers yamllint
// and ajv-cli with the schema of profiles. It installs ajv-cli from npm into a
// temporary directory. A peer that is missing is skipped, with a note.
//
// It measures all of them in one run, in turns, so that other load on the machine
// affects all alike. Such load makes all times longer: compare the ratios, and the
// CPU time (user and system mode together), which changes less. With -memory, it also
// prints the peak of resident memory of caprun check for 1,000, 10,000 and 100,000
// files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// target is the number of files per second for caprun check on two processors.
const target = 20_000

func main() {
	files := flag.Int("files", 10_000, "number of profiles")
	rounds := flag.Int("rounds", 5, "number of rounds: measurements of each program")
	peers := flag.Bool("peers", false, "measure yamllint and ajv-cli too")
	memory := flag.Bool("memory", false, "measure memory for up to 100,000 files too")
	nodes := flag.String(nodesFlag, "", "used internally")
	flag.Parse()
	if *files < 1 || *rounds < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	var err error
	if *nodes != "" {
		err = readNodes(*nodes)
	} else {
		err = run(*files, *rounds, *peers, *memory)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(files, rounds int, peers, memory bool) error {
	dir, err := os.MkdirTemp("", "caprun-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	bytes, err := generate(tree, files)
	if err != nil {
		return err
	}
	rows, err := programs(dir, tree, peers)
	if err != nil {
		return err
	}
	measure(rows, rounds)
	fmt.Printf("Checking %d profiles of %d bytes: %d rounds, %s, %d processors.\n\n", files, bytes/files, rounds, runtime.Version(), runtime.NumCPU())
	if err := table(os.Stdout, rows, files); err != nil {
		return err
	}
	if memory {
		return tableOfMemory(os.Stdout, dir, rows[0].argv[0])
	}
	return nil
}
