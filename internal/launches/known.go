package launches

import "caprun/engine/cred"

// Known names the reason for which the compiler refuses a case that could be
// fulfilled; empty for one that is not known.
func (c Case) Known(m *Machine, from cred.Cred) string {
	return ""
}
