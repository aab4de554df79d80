package observe

import "bytes"

// scriptInterpreter returns the path of the interpreter in the first line of a script.
// head is the beginning of the file. script is false for a file that is not a script; path
// is "" for a script that the kernel refuses.
//
// Kernel: load_script (fs/binfmt_script.c).
func scriptInterpreter(head []byte) (path string, script bool) {
	line, found := bytes.CutPrefix(head, []byte("#!"))
	if !found {
		return "", false
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	line = bytes.TrimLeft(line, " \t")
	if end := bytes.IndexAny(line, " \t\x00"); end >= 0 {
		line = line[:end]
	}
	return string(line), true
}
