package main

import (
	"reflect"
	"testing"
)

// TestOrder: what a supervisor sends is read back, and nothing that is only a
// part of it.
func TestOrder(t *testing.T) {
	o := order{Profile: "a \xff\n.yaml", Text: []byte("version: 1\n"), Strict: true, DryRun: true, Parent: 17}
	data := o.encode()
	if got, err := decodeOrder(data); err != nil || !reflect.DeepEqual(got, o) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range data {
		if got, err := decodeOrder(data[:n]); err == nil {
			t.Errorf("the first %d bytes are taken for %+v", n, got)
		}
	}
	for _, wrong := range []string{"0 true true 0 0\n", "1 true true -1 1\n", "1 true true 0 0 0\n", "x true true 0 0\n", "1 true true 1 9223372036854775807\na"} {
		if got, err := decodeOrder([]byte(wrong)); err == nil {
			t.Errorf("%q is taken for %+v", wrong, got)
		}
	}
}
