package render

import (
	"bytes"
	"encoding/json"
	"testing"

	"caprun/engine/cred"
)

// TestJSONPlan: the object can be decoded; unknown IDs are null, and lists are not.
func TestJSONPlan(t *testing.T) {
	for text, user := range map[string]any{"user: alice": "alice", "uid: 3\ngid: 3": nil, "user: root": "root"} {
		out, err := json.Marshal(newJSONPlan(planOf(t, text, cred.Root()), PlanView{As: "root"}))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			After     map[string]any
			Steps     []map[string]any
			Reachable []string `json:"reachable"`
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if got.After["user"] != user || (got.After["gid"] == nil) != (user != nil) || (got.After["groups"] == nil) != (user != nil) {
			t.Errorf("%s: %v", text, got.After)
		}
		if (got.After["uid"] == nil) != (user == "alice") {
			t.Errorf("%s: the uid is %v", text, got.After["uid"])
		}
		if bytes.Contains(out, []byte("429496729")) || len(got.Steps) == 0 || len(got.Reachable) == 0 || got.After["bounding"] == nil {
			t.Errorf("%s: %s", text, out)
		}
	}
}
