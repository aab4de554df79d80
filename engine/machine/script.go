package machine

import "bytes"

// The kernel reads this much of a script to find its interpreter:
// BINPRM_BUF_SIZE of fs/exec.c.
const headSize = 256

// maxInterpreters is how deep the kernel follows scripts whose interpreters
// are scripts: exec_binprm of fs/exec.c.
const maxInterpreters = 5

// interpreter returns the program that runs a file beginning with head, as
// load_script of fs/binfmt_script.c reads it. script is false for a file that
// is no script; path is empty for a script that the kernel refuses.
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
