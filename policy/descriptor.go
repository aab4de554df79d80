package policy

var (
	descriptorsKind = listKind{
		what: "keep_fds", limit: maxDescriptors, separators: ",",
		fix:  func(word string) string { return descriptorKind.fix(word) },
		hint: "write a list of numbers, for example [3]",
	}
	descriptorKind = numberKind{what: "descriptor", lo: 3, hi: maxDescriptor, rule: badDescriptor, hint: "write a number from 3 to 1048575"}
)

func (r *reader) readKeepFDs(f field) {
	items, ok := r.items(f.value, descriptorsKind)
	if !ok {
		return
	}
	kept := make([]int, 0, len(items))
	seen := newOnce[int](r)
	for i, n := range items {
		k := descriptorKind
		k.items = items
		if isPlain(n) && (n.Value == "0" || n.Value == "1" || n.Value == "2") {
			k.hint = "remove it; 0, 1 and 2 are always passed on"
		}
		v, ok := r.whole(n, k)
		if !ok || !seen.first(n, int(v), "descriptor "+n.Value) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		kept = append(kept, int(v))
	}
	r.profile.KeepFDs = kept
}
