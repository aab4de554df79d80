// Package learned tests caprun learn with programs of Debian, each in namespaces of its
// own: what it learns must be the recorded answer.
package learned
