// Command mutate changes one rule of the kernel model in engine/cred, or one constant of
// a code generator in seal, at a time, and checks whether a test of the package fails.
//
//	go run -C internal/test/mutate . [-run REGEXP] [-sequences N] [-j N] [-v]
//
// Each line of the output is one mutant: what killed it, and the rule that it breaks.
// The comparison with the kernel runs first:
//
//	kernel    TestKernel failed: the kernel does not do what the mutant does
//	unit      only the other tests failed: the rule is one of other kernel
//	          releases, of states that TestKernel does not reach, or of a code
//	          generator, whose tests are all of this kind
//	SURVIVED  no test failed
//	ERROR     no result, for example because the mutant does not compile
//
// The unchanged packages must pass first. The exit status is 0 if every mutant was
// killed, 1 if not, 2 for other errors. Root kills most: other users do not reach
// most states of the kernel.
//
// The mutants are in mutants.txt and generators.txt. No file of the repository changes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

func main() {
	pattern := flag.String("run", "", "try only mutants whose rule matches `regexp`")
	sequences := flag.Int("sequences", 3000, "number of sequences in the comparison with the kernel, for each mutant")
	jobs := flag.Int("j", runtime.NumCPU(), "number of mutants to try at a time")
	verbose := flag.Bool("v", false, "print the output of the test that killed a mutant")
	flag.Parse()
	if *sequences < 1 || *jobs < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	killed, err := run(ctx, *pattern, *sequences, *jobs, *verbose)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if !killed {
		os.Exit(1)
	}
}

// run tries the mutants whose rule matches, and reports whether all were killed.
func run(ctx context.Context, pattern string, sequences, jobs int, verbose bool) (killed bool, err error) {
	table, err := readTable()
	if err != nil {
		return false, err
	}
	matcher, err := regexp.Compile(pattern)
	if err != nil {
		return false, fmt.Errorf("-run: %w", err)
	}
	var chosen []mutant
	for _, m := range table {
		if matcher.MatchString(m.rule) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return false, fmt.Errorf("no rule matches %q", pattern)
	}

	l, err := newLab(ctx, sequences)
	if err != nil {
		return false, err
	}
	defer l.close()
	for _, pkg := range packages(chosen) {
		if err := l.checkPackage(ctx, pkg); err != nil {
			return false, fmt.Errorf("%s, unchanged: %w", pkg, err)
		}
	}

	results, wait := l.tryAll(ctx, chosen, jobs)
	defer wait()
	count := map[verdict]int{}
	for i, m := range chosen {
		r := <-results[i]
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		count[r.verdict]++
		fmt.Printf("%-8s  %s\n", r.verdict, m.rule)
		if r.err != nil {
			fmt.Println(indent(r.err.Error()))
		}
		if verbose {
			fmt.Println(indent(r.out))
		}
	}
	fmt.Printf("%d mutants, %d killed by the kernel, %d by unit tests only, %d survived",
		len(chosen), count[byKernel], count[byUnit], count[survived])
	if count[broken] > 0 {
		fmt.Printf(", %d without a result", count[broken])
	}
	fmt.Println()
	return count[survived]+count[broken] == 0, nil
}

// packages returns the packages of the mutants.
func packages(mutants []mutant) []string {
	var list []string
	for _, m := range mutants {
		if !slices.Contains(list, m.pkg()) {
			list = append(list, m.pkg())
		}
	}
	return list
}

// checkPackage runs the tests of an unchanged package, which must pass. It prints which
// tests are skipped.
func (l lab) checkPackage(ctx context.Context, pkg string) error {
	binary, err := l.build(ctx, l.temp, pkg, mutant{})
	if err != nil {
		return err
	}
	for _, tests := range []string{"-test.run=" + kernelTest, "-test.skip=" + kernelTest} {
		red, out, err := l.run(ctx, pkg, binary, l.sequences, tests)
		if err != nil {
			return err
		}
		if red {
			return fmt.Errorf("tests fail:\n%s", indent(out))
		}
		for line := range strings.Lines(out) {
			if _, test, skipped := strings.Cut(line, "--- SKIP: "); skipped {
				fmt.Fprintf(os.Stderr, "mutate: %s: skipped here: %s", pkg, test)
			}
		}
	}
	return nil
}

type result struct {
	verdict verdict
	out     string
	err     error
}

// tryAll tries jobs mutants at a time. It returns a channel for the result of each,
// and a function that waits for all.
func (l lab) tryAll(ctx context.Context, mutants []mutant, jobs int) (results []chan result, wait func()) {
	results = make([]chan result, len(mutants))
	free := make(chan struct{}, jobs)
	var all sync.WaitGroup
	for i := range results {
		results[i] = make(chan result, 1)
	}
	all.Go(func() {
		for i, m := range mutants {
			free <- struct{}{}
			all.Go(func() {
				defer func() { <-free }()
				v, out, err := l.try(ctx, m)
				results[i] <- result{v, out, err}
			})
		}
	})
	return results, all.Wait
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}
