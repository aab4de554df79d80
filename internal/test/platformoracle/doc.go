// Package platformoracle compares the readers of the packages below platform with the
// libraries that other programs use. It is a module of its own, so that the main module
// does not need these libraries.
package platformoracle
