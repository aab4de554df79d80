// Package repository tests the repository itself: imports of packages, and that the
// commands in its files name existing tests.
package repository
