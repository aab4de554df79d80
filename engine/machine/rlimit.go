package machine

// RlimitNumber returns the RLIMIT_ number of a limit such as "nofile", see
// getrlimit(2). It returns false for an unknown name.
func RlimitNumber(name string) (int, bool) {
	for n, have := range rlimitNames {
		if have == name {
			return n, true
		}
	}
	return 0, false
}

// RlimitName returns the name of a limit such as "nofile"; empty for an unknown number.
func RlimitName(number int) string {
	if number < 0 || number >= len(rlimitNames) {
		return ""
	}
	return rlimitNames[number]
}
