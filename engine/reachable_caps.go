package engine

import "caprun/engine/cred"

// ReachableCaps returns two sets of capabilities of the time after the target has started.
// children is the permitted set of an ordinary program, without set-id bits and file
// capabilities, that the target executes. most is every capability that any sequence of
// operations and programs can make permitted, including those that the target has from the
// start. [Plan.Reachable] describes the same in sentences.
func (p *Plan) ReachableCaps() (children, most cred.Caps) {
	f := p.reachable()
	return f.ordinary, f.most
}
