package main

import (
	"math"

	"caprun/cap"
)

// valueCalls do not change the process: values, sets, tuples and their text.
func valueCalls() []call {
	var none *cap.Set
	var noTuple *cap.IAB
	set := func(text string) *cap.Set { c, err := cap.FromText(text); check(err); return c }
	tuple := func(text string) *cap.IAB { t, err := cap.IABFromText(text); check(err); return t }
	sets := func() []*cap.Set { return []*cap.Set{none, {}, cap.NewSet(), set("cap_kill=ep cap_chown+i")} }
	tuples := func() []*cap.IAB { return []*cap.IAB{noTuple, {}, cap.NewIAB(), tuple("^cap_kill,!cap_chown,!%5")} }
	flags := []cap.Flag{cap.Effective, cap.Permitted, cap.Inheritable}
	vectors := []cap.Vector{cap.Inh, cap.Amb, cap.Bound}
	values := []cap.Value{0, cap.KILL, cap.CHECKPOINT_RESTORE, 41, 62, 63}
	return []call{
		{name: "constants", do: func() {
			show(cap.NamedCount, cap.LaunchSupported, cap.ExtMagic, cap.MinExtFlagSize, cap.MaxBits())
		}},
		{name: "String", do: func() {
			for v := range cap.Value(70) {
				show(v, cap.Flag(v), cap.Vector(v), cap.Mode(v))
			}
			show(cap.Value(math.MaxUint), cap.Flag(math.MaxUint), cap.Vector(math.MaxUint), cap.Mode(math.MaxUint))
		}},
		{name: "FromName", do: func() {
			for _, name := range []string{
				"", "cap_chown", "cap_checkpoint_restore", "CAP_KILL", "kill", "all", "cap_", "cap_kil", "cap_kills", " cap_kill", "cap_kill ",
				"0", "00", "007", "+3", "-0", "-1", "41", "63", "64", "99", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
				"99999999999999999999", "0x3", "1_1", "1e1", "+", "-", "++1", "\x00", "\xff", "é", "٣",
			} {
				show(cap.FromName(name))
			}
		}},
		{name: "FromText", do: func() {
			for _, text := range []string{"", " ", "=", "all=", "=ep", "cap_kill=p", "cap_kill", "cap_kill+", "cap_x=p", "all,cap_kill=p", "5=p", "64=p", "=+e", "cap_kill==p", "=x", "CAP_KILL=p"} {
				show(cap.FromText(text))
			}
		}},
		{name: `FromText "=ep-e"`, do: func() { show(cap.FromText("=ep-e")) }},
		{name: "IABFromText", do: func() {
			for _, text := range []string{
				"", " ", ",", "cap_kill", "!%^cap_kill", "cap_kill,", ",cap_kill", "cap_kill,,cap_chown", "!", "^,cap_kill", "cap_x", "!^cap_x", "cap_kill,cap_x,99",
				"99", "!64", "^-1", "all", "cap_kill cap_chown", "^^cap_x!", "0x3", "99999999999999999999", "cap_kill=p", "\xff", "40", "!+3",
			} {
				show(cap.IABFromText(text))
			}
		}},
		{name: "IABFromText of 63", do: func() { t := tuple("63"); show(t); show(t.GetVector(cap.Inh, 63)) }},
		{name: "Set of none", do: func() {
			for _, c := range sets() {
				show(c)
				show(c.Dup())
				for _, d := range sets() {
					show(c.Cf(d))
					show(c.Compare(d))
				}
				show(c.Clear())
				show(c)
			}
		}},
		{name: "Set.FillFlag", do: func() {
			for _, c := range sets() {
				for _, to := range append(flags, 3, 64) {
					for _, from := range append(flags, 3, 64) {
						show(c.Fill(to, from), c)
						for _, d := range sets() {
							show(c.FillFlag(to, d, from), c)
						}
					}
				}
			}
		}},
		{name: "Set.ClearFlag", do: func() {
			for _, c := range sets() {
				for _, flag := range append(flags, 3, 64) {
					show(c.ClearFlag(flag), c)
				}
			}
		}},
		{name: "Set.SetFlag", do: func() {
			for _, c := range sets() {
				for _, flag := range flags {
					for _, v := range values {
						show(c.GetFlag(flag, v))
						show(c.SetFlag(flag, true, v), c)
						show(c.GetFlag(flag, v))
						show(c.SetFlag(flag, false, v), c)
					}
					show(c.SetFlag(flag, true), c)
					show(c.SetFlag(flag, true, 1, 65, 2), c)
					show(c.GetFlag(flag, 65))
				}
			}
		}},
		{name: "Set.GetFlag of a bad flag", do: func() {
			for _, c := range sets() {
				show(c.GetFlag(3, 1))
			}
		}},
		{name: "Set.SetFlag of a bad flag", do: func() { show(cap.NewSet().SetFlag(7, true, 1)) }},
		{name: "Set.SetFlag of 64", do: func() { show(cap.NewSet().SetFlag(cap.Permitted, true, 64)) }},
		{name: "Set.GetFlag of 64", do: func() { show(cap.NewSet().GetFlag(cap.Permitted, 64)) }},
		{name: "Set.GetNSOwner", do: func() {
			for _, c := range sets()[1:] {
				c.SetNSOwner(7)
				show(c.GetNSOwner())
				show(c)
				show(c.Clear())
				show(c.GetNSOwner())
			}
		}},
		{name: "Set.GetNSOwner of nil", do: func() { show(none.GetNSOwner()) }},
		{name: "Set.SetNSOwner of nil", do: func() { none.SetNSOwner(7); show(nil) }},
		{name: "Diff.Has", do: func() {
			for d := range 9 {
				for f := range 5 {
					show(cap.Diff(d).Has(cap.Flag(f)), cap.IABDiff(d).Has(cap.Vector(f)), cap.Differs(uint(d), cap.Flag(f)))
				}
			}
		}},
		{name: "Import", do: func() {
			for _, text := range []string{"", "\x90", "\x90\xc2\x01\x51", "\x90\xc2\x01\x51\x00", "\x90\xc2\x01\x51\x01abc", "\x90\xc2\x01\x51\x01ab", "\x90\xc2\x01\x51\x09", "xxxx", "xxxxx", "\x90\xc2\x01\x51\x01abcd"} {
				show(cap.Import([]byte(text)))
			}
			show(cap.Import(nil))
		}},
		{name: "Set.Export", do: func() {
			for _, size := range []uint{0, 1, 8, 9, 255, 256} {
				cap.MinExtFlagSize = size
				for _, c := range sets() {
					show(c.Export())
				}
			}
		}},
		{name: "IAB of none", do: func() {
			for _, t := range tuples() {
				show(t)
				show(t.Dup())
				for _, u := range tuples() {
					show(t.Cf(u))
				}
			}
			show(cap.IABInit())
		}},
		{name: "IAB.GetVector", do: func() {
			for _, t := range tuples() {
				for _, vec := range append(vectors, 3, 64) {
					for _, v := range values[:3] {
						show(t.GetVector(vec, v))
					}
					show(t.GetVector(vec, 64))
				}
			}
		}},
		{name: "IAB.SetVector", do: func() {
			for _, t := range tuples() {
				for _, vec := range vectors {
					for _, v := range values[:3] {
						show(t.SetVector(vec, true, v), t)
						show(t.SetVector(vec, false, v), t)
					}
					show(t.SetVector(vec, true), t)
					show(t.SetVector(vec, true, 64), t)
				}
				show(t.SetVector(3, true, 1), t)
			}
		}},
		{name: "IAB.SetVector, half", do: func() { t := cap.NewIAB(); show(t.SetVector(cap.Inh, true, 5, 99), t) }},
		{name: "IAB.SetVector, bad and empty", do: func() { show(cap.NewIAB().SetVector(9, true)) }},
		{name: "IAB.SetVector of 63", do: func() { t := cap.NewIAB(); show(t.SetVector(cap.Inh, true, 63), t) }},
		{name: "IAB.Fill", do: func() {
			for _, t := range tuples() {
				for _, c := range sets() {
					for _, flag := range flags {
						show(t.Fill(cap.Amb, c, flag), t)
						show(t.Fill(cap.Inh, c, flag), t)
						show(t.Fill(9, c, flag), t)
					}
				}
			}
		}},
		{name: "IAB.Fill of a bad flag", do: func() { show(cap.NewIAB().Fill(cap.Inh, cap.NewSet(), 7)) }},
		{name: "IAB.Fill of Bound", do: func() {
			t := cap.NewIAB()
			show(t.Fill(cap.Bound, set("cap_kill=p"), cap.Permitted), t)
			show(tuple(t.String()).Cf(t))
		}},
	}
}
