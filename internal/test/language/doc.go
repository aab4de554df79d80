// Package language has the test of the project's language: words and phrases that
// read like a translation, and what to write instead.
package language
