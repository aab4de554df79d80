// Package editors tests the schema with the language server that editors use for
// YAML, that of Red Hat's extension for VS Code. It compares what the editor shows:
// completion, hover, and an error on a wrong key.
//
// It is a separate module, so that go test ./... at the root requires neither Node.js
// nor the network. package-lock.json pins the server.
package editors
