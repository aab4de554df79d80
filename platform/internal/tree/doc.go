// Package tree reads YAML and JSON into nodes with exact positions.
//
// Aliases and merge keys are resolved. The work is bounded: a text with more than
// [MaxNodes] nodes, counted as often as aliases and merge keys repeat them, is refused.
//
// The package does no input or output.
package tree
