// Package services tests the example services. Each has a directory with its profile,
// what the profile requires, a client and a unit. docs/services.md describes them.
package services
