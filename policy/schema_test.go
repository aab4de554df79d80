package policy

import (
	"reflect"
	"testing"

	"gopkg.in/yaml.v3"
)

// compareTrees: what is shown to the schema is what yaml.v3 decodes.
func compareTrees(t *testing.T, root *yaml.Node, decoded any) {
	t.Helper()
	if own := tree(root); !reflect.DeepEqual(own, decoded) {
		t.Errorf("the reader sees %v and yaml.v3 %v", own, decoded)
	}
}
