// Package arm64 translates the operations of package op into machine code for AArch64.
//
// The registers:
//
//	R0 to R5   x19 to x24: a system call keeps them, and no argument is in them
//	Result     x0: where the kernel returns the result. It is the first argument, too, but
//	           the result is no argument of another system call
//	frame      x25: a system call keeps it
//	arguments  x0 to x5, and the number in x8
//	stack      sp: the return addresses of subroutines that call others
//	return     x30: the return address of a subroutine, until it calls another
//	scratch    x9 for a constant, x10 for an address of memory
//
// Every instruction has 4 bytes. The names of the fields are those of the Arm Architecture
// Reference Manual: Rd is the destination, Rn and Rm are sources.
package arm64
