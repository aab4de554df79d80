// Package jsontree reads JSON into nodes with their line and column.
//
// It is stricter than the readers of container runtimes, which disagree: Go's takes the last
// of two equal keys, and yajl the first; Go's replaces invalid UTF-8 and ignores text after
// the value. [Parse] refuses each of these.
//
// The package does no input or output.
package jsontree
