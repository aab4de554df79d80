package policy

import (
	"reflect"
	"testing"

	"gopkg.in/yaml.v3"
)

// compareTrees checks that the schema gets what yaml.v3 decodes.
func compareTrees(t *testing.T, root *yaml.Node, decoded any) {
	t.Helper()
	if own := tree(root); !reflect.DeepEqual(own, decoded) {
		t.Errorf("the reader has %v, yaml.v3 %v", own, decoded)
	}
}
