// Package cputime tells tests how much work something is: a busy machine adds
// to the time that it takes, and nothing to this one.
package cputime
