// Package amd64 translates the operations of package op into machine code for x86-64.
//
// The registers:
//
//	R0 to R5   rbx, rbp, r12 to r15: a system call keeps them, and no argument is in them
//	Result     rax: where the kernel returns the result
//	frame      r9: a system call keeps it, and only one with six arguments uses it
//	stack      rsp: for return addresses, and for push and pop of a constant
//	arguments  rdi, rsi, rdx, r10, r8, r9: only loaded directly before the system call
//	scratch    r11: a system call destroys it, as it does rcx
//
// An operation becomes the shortest instructions of a few forms, which encode.go lists.
// The references are to the opcodes in volume 2 of Intel's Software Developer's Manual:
// /digit and /r are the middle field of the ModRM byte, ib and id an immediate of 1 and 4
// bytes.
package amd64
