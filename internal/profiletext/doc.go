// Package profiletext writes profiles as YAML, and untrusted text as
// comments of a profile.
package profiletext
