package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Bounds of the values that Validate accepts. The validator panics for numbers that
// are not finite, takes seconds for numbers with a million digits, and recurses as
// deep as the value. A profile has five levels and at most 64 KiB, and its longest
// number has 19 digits.
const (
	maxDepth  = 32
	maxValues = 100_000
	maxDigits = 32
)

var errBounds = errors.New("the value has more levels or parts than any profile")

// bounded returns an error for a value that the validator cannot process safely.
func bounded(v any) error {
	var w walk
	w.value(v, maxDepth)
	return w.err
}

// A walk visits the whole value even after an error, and keeps the error that
// sorts first: it does not depend on the order of a map.
type walk struct {
	seen int
	err  error
}

func (w *walk) value(v any, depth int) {
	if w.seen++; w.seen > maxValues || depth == 0 {
		w.fail(errBounds)
		return
	}
	switch v := v.(type) {
	case nil, bool, string, int, int64, uint64:
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			w.fail(errors.New("a number is not finite"))
		}
	case json.Number:
		if !plainDecimal(string(v)) {
			w.fail(errors.New("a number is not in plain decimal digits"))
		}
	case []any:
		for _, item := range v {
			w.value(item, depth-1)
		}
	case map[string]any:
		for _, value := range v {
			w.value(value, depth-1)
		}
	default:
		w.fail(fmt.Errorf("a value has the type %T, which JSON does not have", v))
	}
}

func (w *walk) fail(err error) {
	if w.err == nil || err.Error() < w.err.Error() {
		w.err = err
	}
}

// plainDecimal reports whether s is a JSON number without an exponent, and not
// too long.
func plainDecimal(s string) bool {
	if len(s) > maxDigits {
		return false
	}
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	if s = s[whole:]; s == "" {
		return true
	}
	return s[0] == '.' && len(s) > 1 && digits(s[1:]) == len(s)-1
}

// digits returns how many decimal digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
