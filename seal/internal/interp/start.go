package interp

import "encoding/binary"

// Start is what the kernel puts on the stack of a new program. The machine adds what ends
// each list.
type Start struct {
	Args, Env []string
	Aux       []Aux
}

// Aux is an entry of the auxiliary vector, such as {23, 1}: AT_SECURE. See getauxval(3).
type Aux struct{ Key, Value uint64 }

// stack returns the segment of the initial stack: the number of arguments at its beginning,
// the strings at its end.
func (s Start) stack() segment {
	var strings []byte
	words := []uint64{uint64(len(s.Args))}
	fill := []int{} // indices of words that are addresses: still offsets in strings
	for _, list := range [][]string{s.Args, s.Env} {
		for _, text := range list {
			fill = append(fill, len(words))
			words = append(words, uint64(len(strings)))
			strings = append(append(strings, text...), 0)
		}
		words = append(words, 0)
	}
	for _, a := range s.Aux {
		words = append(words, a.Key, a.Value)
	}
	words = append(words, 0, 0)
	base := (stackTop - uint64(8*len(words)+len(strings))) &^ 15
	for _, n := range fill {
		words[n] += base + uint64(8*len(words))
	}
	memory := make([]byte, 0, stackTop-base)
	for _, w := range words {
		memory = binary.LittleEndian.AppendUint64(memory, w)
	}
	memory = append(memory, strings...)
	return segment{name: "stack", base: base, bytes: memory}
}
