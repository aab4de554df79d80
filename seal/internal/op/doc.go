// Package op defines the operations of which a sealed launcher consists.
//
// A [Program] is a list of operations for a small machine. A back end translates each
// operation into a few instructions of a real machine; package interp executes them in
// tests. Only a back end knows a real machine.
//
// The machine has six registers that keep their value, R0 to R5, and the register Result
// with the result of the last system call: a negative error number from -4095 to -1, or
// another value. All are 64 bits wide. The memory consists of
//
//   - the frame, which the launcher may read and write; its offsets begin at 0,
//   - what Reserve adds,
//   - the data, constants that the launcher may only read,
//   - what the kernel has put on the stack: the number of arguments, their addresses and
//     0, the addresses of the environment variables and 0, the auxiliary vector.
//
// The operations:
//
//	Label       a place that others name
//	Subroutine  a place where a subroutine begins
//	Start       D = stack pointer at the start; only before Enter
//	Enter       the same; then reserve the frame, and S bytes above it
//	Reserve     reserve Value bytes below the frame; D = their address; not in a subroutine
//	Const       D = Value
//	Copy        D = S
//	Add         D += Value
//	AddReg      D += S
//	SubReg      D -= S
//	And         D &= Value
//	AndReg      D &= S
//	OrReg       D |= S
//	Left        D <<= Value
//	Right       D >>= Value (unsigned)
//	Data        D = address of the data at Value
//	Frame       D = address of the frame at Value
//	Code        D = address of the label
//	Load        D = Size bytes at S + Value (unsigned)
//	Store       Size bytes at S + Value = D
//	If          if D Cond Value: go to the label
//	IfReg       if D Cond S: go to the label
//	Jump        go to the label
//	Call        go to the subroutine; the next Return continues after this operation
//	Return      continue after the last Call that has not returned; only in a subroutine
//	Syscall     Result = system call with up to six arguments
//
// Subroutines follow all other operations. Each ends where the next one begins. Its labels
// are its own: no operation outside it names them. A subroutine may go to a label before the
// subroutines, and then does not return. It may also Jump to another subroutine, which then
// returns to the caller. So a back end knows in which subroutine a Return is.
//
// For Load and Store, S may be SP, the beginning of the frame. Most accesses are to the
// first 256 bytes of the frame.
//
// A back end keeps the address of the frame in a register of its own, not in the stack
// pointer of the machine: Call uses that stack for return addresses, below the frame.
//
// To add an operation: declare its code here, describe it in the table above and in
// [Op.String], check it in [Program.Check], and translate it in both back ends and in
// package interp. The tests of these packages run over [Codes] and fail for an operation
// that one of them lacks.
package op
