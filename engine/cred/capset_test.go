package cred_test

import (
	"testing"

	"caprun/engine/cred"
)

const setpcap = cred.Caps(1 << cred.SETPCAP)

func TestCapset(t *testing.T) {
	to := func(e, p, i cred.Caps) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Capset(e, p, i) }
	}
	state := func(e, p, i, b, a cred.Caps) cred.Cred {
		return cred.Cred{Effective: e, Permitted: p, Inheritable: i, Bounding: b, Ambient: a, All: cred.FirstCaps(41)}
	}
	check(t, []transition{
		{name: "all three at once", from: state(0, 7, 0, 7, 0), do: to(1, 3, 7), want: state(1, 3, 7, 7, 0)},
		{name: "effective to permitted", from: state(0, 7, 0, 0, 0), do: to(7, 7, 0), want: state(7, 7, 0, 0, 0)},
		{name: "effective beyond the new permitted", from: state(7, 7, 0, 0, 0), do: to(7, 3, 0), errno: cred.EPERM},
		{name: "permitted never grows", from: state(setpcap, setpcap, 7, 7, 0), do: to(0, 1, 7), errno: cred.EPERM},
		{name: "bits that no kernel knows", from: state(0, 7, 0, 7, 0), do: to(1<<41|1, 1<<63|3, 1<<41|1), want: state(1, 3, 1, 7, 0)},

		{name: "inheritable from permitted", from: state(0, 1, 2, 7, 0), do: to(0, 1, 3), want: state(0, 1, 3, 7, 0)},
		{name: "inheritable from the bounding set alone", from: state(0, 1, 0, 7, 0), do: to(0, 1, 2), errno: cred.EPERM},
		{name: "the same with SETPCAP", from: state(setpcap, setpcap, 0, 7, 0), do: to(0, 0, 2), want: state(0, 0, 2, 7, 0)},
		{name: "SETPCAP permitted is not enough", from: state(0, setpcap, 0, 7, 0), do: to(setpcap, setpcap, 2), errno: cred.EPERM},
		{name: "inheritable from permitted beyond the bounding set", from: state(0, 7, 0, 3, 0), do: to(0, 7, 4), errno: cred.EPERM},
		{name: "the same with SETPCAP", from: state(setpcap, setpcap|7, 0, 3, 0), do: to(0, 7, 4), errno: cred.EPERM},
		{name: "inheritable stays beyond the bounding set", from: state(0, 0, 4, 3, 0), do: to(0, 0, 4), want: state(0, 0, 4, 3, 0)},

		{name: "ambient follows permitted", from: state(7, 7, 7, 7, 7), do: to(0, 3, 7), want: state(0, 3, 7, 7, 3)},
		{name: "ambient follows inheritable", from: state(7, 7, 7, 7, 7), do: to(7, 7, 4), want: state(7, 7, 4, 7, 4)},
		{name: "ambient does not come back", from: state(7, 7, 0, 7, 0), do: to(7, 7, 7), want: state(7, 7, 7, 7, 0)},
	})
}

func TestBoundingAndAmbient(t *testing.T) {
	drop := func(n int) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.DropBounding(n) }
	}
	raise := func(n int) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.RaiseAmbient(n) }
	}
	lower := func(n int) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.LowerAmbient(n) }
	}
	held := ambientUser(1 << netRaw)
	held.Effective |= setpcap
	held.Permitted |= setpcap
	ready := held
	ready.Ambient = 0

	check(t, []transition{
		{name: "drop leaves the other sets", from: held, do: drop(netRaw),
			want: edit(held, func(c *cred.Cred) { c.Bounding = c.Bounding.Without(netRaw) })},
		{name: "drop what is gone", from: edit(held, func(c *cred.Cred) { c.Bounding = 0 }), do: drop(netRaw),
			want: edit(held, func(c *cred.Cred) { c.Bounding = 0 })},
		{name: "drop without SETPCAP", from: user(), do: drop(0), errno: cred.EPERM},
		{name: "drop without SETPCAP, no such capability", from: user(), do: drop(41), errno: cred.EPERM},
		{name: "drop, no such capability", from: held, do: drop(41), errno: cred.EINVAL},
		{name: "drop, negative", from: held, do: drop(-1), errno: cred.EINVAL},

		{name: "raise", from: edit(ready, func(c *cred.Cred) { c.Effective, c.Bounding = 0, 0 }), do: raise(netRaw),
			want: edit(held, func(c *cred.Cred) { c.Effective, c.Bounding = 0, 0 })},
		{name: "raise what is not inheritable", from: edit(ready, func(c *cred.Cred) { c.Inheritable = 0 }), do: raise(netRaw), errno: cred.EPERM},
		{name: "raise what is not permitted", from: edit(ready, func(c *cred.Cred) { c.Permitted, c.Effective = 0, 0 }), do: raise(netRaw), errno: cred.EPERM},
		{name: "raise where forbidden", from: edit(ready, func(c *cred.Cred) { c.Securebits = cred.SecNoCapAmbientRaise }), do: raise(netRaw), errno: cred.EPERM},
		{name: "raise, no such capability", from: ready, do: raise(41), errno: cred.EINVAL},

		{name: "lower", from: edit(held, func(c *cred.Cred) { c.Securebits = cred.SecNoCapAmbientRaise }), do: lower(netRaw),
			want: edit(ready, func(c *cred.Cred) { c.Securebits = cred.SecNoCapAmbientRaise })},
		{name: "lower what is not there", from: ready, do: lower(1), want: ready},
		{name: "lower, no such capability", from: ready, do: lower(41), errno: cred.EINVAL},
		{name: "clear", from: held, do: func(c cred.Cred) (cred.Cred, cred.Errno) { return c.ClearAmbient(), 0 }, want: ready},
	})
}
