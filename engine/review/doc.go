// Package review says what a person who reviews a profile wants to know: the
// mistakes that policy and engine find, and the risks of what is correct. Its
// printers are pure functions of the findings.
package review
