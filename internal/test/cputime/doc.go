// Package cputime measures the work of a test: other load on the machine makes it
// take longer, but does not change its processor time.
package cputime
