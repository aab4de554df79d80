package supervise

import (
	"reflect"
	"testing"
)

// TestRequest: a request can be decoded, and every part of it is refused.
func TestRequest(t *testing.T) {
	r := Request{Profile: "a \xff\n.yaml", Text: []byte("version: 1\n"), Strict: true, DryRun: true, supervisor: 17}
	data := r.encode()
	if got, err := decodeRequest(data); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range data {
		if got, err := decodeRequest(data[:n]); err == nil {
			t.Errorf("the first %d bytes are decoded as %+v", n, got)
		}
	}
	for _, wrong := range []string{"0 true true 0 0\n", "1 true true -1 1\n", "1 true true 0 0 0\n", "x true true 0 0\n", "1 true true 1 9223372036854775807\na"} {
		if got, err := decodeRequest([]byte(wrong)); err == nil {
			t.Errorf("%q is decoded as %+v", wrong, got)
		}
	}
}
