package tree

import (
	"strconv"
	"strings"
)

// Number returns a whole number as Kubernetes reads it: in the notations of YAML 1.1, and
// of Go, such as 010 for 8, 0x10 and 1_000, and as a float without a fraction, such as 1e3.
// ok is false for any other value, such as one in quotes.
func (n *Node) Number() (v int64, ok bool) {
	if !n.IsText() || n.Quoted {
		return 0, false
	}
	if v, ok := parseInt(n.Value); ok {
		return v, true
	}
	if !isFloat(n.Value) {
		return 0, false
	}
	const exact = 1 << 53 // each smaller integer is a float
	f, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64)
	if err != nil || f <= -exact || f >= exact || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// parseInt returns an integer, as resolve in yaml.v2 does, which sigs.k8s.io/yaml uses.
func parseInt(s string) (v int64, ok bool) {
	if s == "" || strings.IndexByte("+-0123456789", s[0]) < 0 {
		return 0, false
	}
	v, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 0, 64)
	return v, err == nil
}

// isFloat reports whether a text is a finite float in decimal digits.
func isFloat(s string) bool {
	if s == "" || s[0] == '_' || strings.Trim(s, "0123456789+-.eE_") != "" {
		return false
	}
	_, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return err == nil
}
