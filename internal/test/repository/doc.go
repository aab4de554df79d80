// Package repository has tests of the repository itself: which package imports
// what, and that the commands in its files name tests that exist.
package repository
