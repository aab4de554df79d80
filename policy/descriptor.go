package policy

func (r *reader) readKeepFDs(f field) {
	items, ok := r.items(f.value, "keep_fds", maxDescriptors)
	if !ok {
		return
	}
	kept := make([]int, 0, len(items))
	seen := newOnce[int](r)
	for i, n := range items {
		v, ok := r.whole(n, "a kept descriptor", 3, maxDescriptor, badDescriptor, "0, 1 and 2 are always passed on")
		if !ok || !seen.first(n, int(v), "the descriptor "+n.Value) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		kept = append(kept, int(v))
	}
	r.profile.KeepFDs = kept
}
