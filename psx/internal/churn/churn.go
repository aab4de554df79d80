// Package churn makes trouble for package psx: threads that C has made, in
// every state that they can be in. Only tests use it; it exists because test
// files cannot contain C. Without cgo on Linux it is empty.
package churn
