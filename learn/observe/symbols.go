package observe

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
)

// symbols are the functions of the kernel, in the order of their addresses.
type symbols struct {
	addresses []uint64
	names     []string
}

// maxSymbols limits the memory for symbols. A kernel with all modules has about 250,000.
const maxSymbols = 2_000_000

// readSymbols reads the functions of /proc/kallsyms. A process that may not see addresses
// reads zeros instead (kptr_restrict in Documentation/admin-guide/sysctl/kernel.rst): then
// there are no symbols.
func readSymbols(r io.Reader) (symbols, error) {
	type symbol struct {
		address uint64
		name    string
	}
	var all []symbol
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(all) < maxSymbols {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 3 || len(fields[1]) != 1 || !bytes.Contains([]byte("tTwW"), fields[1]) {
			continue // data, or not a symbol
		}
		address, err := strconv.ParseUint(string(fields[0]), 16, 64)
		if err != nil || address == 0 {
			continue
		}
		all = append(all, symbol{address, string(fields[2])})
	}
	slices.SortStableFunc(all, func(a, b symbol) int { return cmp.Compare(a.address, b.address) })
	var s symbols
	for _, one := range all {
		s.addresses = append(s.addresses, one.address)
		s.names = append(s.names, one.name)
	}
	return s, lines.Err()
}

// known reports whether there are symbols.
func (s symbols) known() bool { return len(s.addresses) > 0 }

// find returns the index of the function that has this address. If several have it, it is
// one of them.
func (s symbols) find(address uint64) (index int, found bool) {
	index, exact := slices.BinarySearch(s.addresses, address)
	if !exact {
		index--
	}
	return index, index >= 0
}

// functions returns the names of the functions of a call chain, innermost first, or nil
// without symbols.
func (s symbols) functions(stack []uint64) []string {
	if !s.known() {
		return nil
	}
	names := make([]string, 0, len(stack))
	for n, address := range stack {
		if n > 0 {
			// It is where the function continues after the call, which may be the start
			// of the next function if the called one does not return.
			address--
		}
		if index, found := s.find(address); found {
			names = append(names, s.names[index])
		}
	}
	return names
}
