package observe

import (
	"bytes"
	"encoding/binary"
)

// codeSize is the number of bytes before the instruction pointer that numberInCode reads.
const codeSize = 8

// numberInCode returns the number of the system call that a program is in, if its code has
// the number: the instruction before the one that enters the kernel loads a constant, as
// in most functions of C libraries. code are the bytes before the instruction pointer.
//
// It is for calls that the kernel's stack does not name.
func numberInCode(arch string, code []byte) (number int64, ok bool) {
	if len(code) < codeSize {
		return 0, false
	}
	code = code[len(code)-codeSize:]
	switch arch {
	case "amd64": // mov $N, %eax; syscall
		if code[1] == 0xb8 && bytes.HasSuffix(code, []byte{0x0f, 0x05}) {
			return int64(binary.LittleEndian.Uint32(code[2:])), true
		}
	case "arm64": // mov x8, #N; svc #0
		const mov, svc = 0xd2800008, 0xd4000001
		load := binary.LittleEndian.Uint32(code)
		if load&^(0xffff<<5) == mov && binary.LittleEndian.Uint32(code[4:]) == svc {
			return int64(load >> 5 & 0xffff), true
		}
	}
	return 0, false
}
