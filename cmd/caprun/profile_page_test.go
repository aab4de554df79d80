package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/markdown"
	"caprun/policy"
	"caprun/schema"
)

// TestProfilePage: docs/profile.md has a section for each key of the schema, with
// every word that is a value or a key inside of it, and with an example that is read
// without an error.
func TestProfilePage(t *testing.T) {
	text, err := os.ReadFile("../../docs/profile.md")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(schema.JSON(), &root); err != nil {
		t.Fatal(err)
	}
	keys := root["properties"].(map[string]any)
	sections := regexp.MustCompile(`(?m)^#{2,3} `).Split(string(text), -1)
	for key, value := range keys {
		n := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, key+"\n") })
		if n < 0 {
			t.Errorf("no section %s", key)
			continue
		}
		for _, word := range schemaWords(value.(map[string]any)) {
			if !regexp.MustCompile(`\b` + word + `\b`).MatchString(sections[n]) {
				t.Errorf("the section %s does not name %s", key, word)
			}
		}
		example := ""
		for _, part := range markdown.Split(sections[n]) {
			if part.Kind == "yaml" {
				example = part.Text
				break
			}
		}
		if !regexp.MustCompile(`(?m)^` + key + `:`).MatchString(example) {
			t.Errorf("the section %s has no example", key)
		}
		if !strings.Contains(example, "version: 1\n") {
			example = "version: 1\n" + example
		}
		if p, found := policy.Parse("example.yaml", []byte(example)); p == nil {
			t.Errorf("the example of %s: %v", key, found)
		}
	}
}

// schemaWords returns the words of lists of values and the keys below a schema.
func schemaWords(s map[string]any) (words []string) {
	values, _ := s["enum"].([]any)
	for _, v := range values {
		if word, ok := v.(string); ok {
			words = append(words, word)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for key, value := range properties {
		words = append(append(words, key), schemaWords(value.(map[string]any))...)
	}
	if items, ok := s["items"].(map[string]any); ok {
		words = append(words, schemaWords(items)...)
	}
	return words
}
