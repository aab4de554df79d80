// Package platforms runs what other platforms start, to compare it with what profiles say.
package platforms
