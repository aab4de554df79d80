package machine

import "bytes"

// headSize is the number of bytes that the kernel reads of a file to find its
// interpreter: BINPRM_BUF_SIZE (include/uapi/linux/binfmts.h).
const headSize = 256

// maxInterpreters is the maximum number of interpreters that are themselves scripts:
// exec_binprm (fs/exec.c).
const maxInterpreters = 5

// interpreter returns the path of the interpreter in the first line of a script. head
// is the beginning of the file. script is false for a file that is not a script. path is
// empty for a script that the kernel refuses.
//
// Kernel: load_script (fs/binfmt_script.c).
func interpreter(head []byte) (path string, script bool) {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", false
	}
	full := len(head) == headSize
	line, _, ended := bytes.Cut(line, []byte("\n"))
	ended = ended || !full
	line = bytes.TrimLeft(line, " \t")
	end := bytes.IndexAny(line, " \t\x00")
	if end < 0 {
		if !ended {
			// The path may be cut: ENOEXEC.
			return "", true
		}
		end = len(line)
	}
	return string(line[:end]), true
}
