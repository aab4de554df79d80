package machine

func RlimitNumber(name string) (int, bool) {
	for n, have := range rlimitNames {
		if have == name {
			return n, true
		}
	}
	return 0, false
}

func RlimitName(number int) string {
	if number < 0 || number >= len(rlimitNames) {
		return ""
	}
	return rlimitNames[number]
}
