// Package yamlnext compares gopkg.in/yaml.v3, which reads profiles and whose repository is
// archived, with its maintained continuation. It has tests only.
package yamlnext
