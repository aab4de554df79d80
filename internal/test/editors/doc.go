// Package editors shows the schema to the language server that editors use for
// YAML, the one of Red Hat's extension for VS Code, and holds what a person
// sees there: completion, hover, and an error on a wrong key.
//
// It is a module of its own, so that go test ./... at the root needs neither
// Node.js nor the network. package-lock.json pins the server.
package editors
