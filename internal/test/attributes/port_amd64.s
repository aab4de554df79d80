#include "textflag.h"

// func inb()
TEXT ·inb(SB), NOSPLIT, $0-0
	MOVL $0x80, DX
	INB
	RET
