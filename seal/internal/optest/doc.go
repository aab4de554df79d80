// Package optest makes random programs of the operations of package op, and executes and
// disassembles the machine code of programs, for the tests of the back ends.
package optest
