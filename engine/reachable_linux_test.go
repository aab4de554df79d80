package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/internal/test/requires"
)

// reachableScenes lead to every sentence of Reachable.
var reachableScenes = []scene{
	{name: "no_new_privs", profile: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\nno_new_privs: true"},
	{name: "noroot", profile: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\nsecbits: [noroot, noroot_locked]"},
	{name: "a user", profile: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip"},
	{name: "nothing", profile: "uid: 33\ngid: 33\ncaps: \"=\""},
	{name: "root without capabilities", profile: "caps: \"=\"\niab: \"\"\nno_new_privs: true"},
	{name: "root", profile: "uid: 0\ngid: 0\ncaps: cap_setuid,cap_setgid,cap_sys_chroot,cap_setpcap=ep"},
	{name: "jailed root", profile: "uid: 0\ngid: 0\ncaps: cap_sys_chroot=ep", jail: true},
	{name: "cap_setpcap", profile: "uid: 33\ngid: 33\ncaps: cap_setuid,cap_setpcap=eip cap_kill+i\nno_new_privs: true\nsecbits: [noroot, no_setuid_fixup, no_setuid_fixup_locked]"},
	{name: "cap_setuid", profile: "uid: 33\ngid: 33\ncaps: cap_setuid=eip\niab: ^cap_setuid"},
	{name: "inheritable beyond the bounding set", profile: "uid: 33\ngid: 33\niab: \"!%cap_kill\"\nsecbits: [noroot]"},
	{name: "file capabilities", profile: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep", mark: fileCaps(raw, 0, true)},
	{name: "file capabilities under no_new_privs", profile: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep\nno_new_privs: true", mark: fileCaps(raw, 0, true)},
	{name: "no ambient set", profile: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep\nsecbits: [no_cap_ambient_raise]", mark: fileCaps(raw, 0, true)},
	{name: "inheritable", profile: "uid: 33\ngid: 33\nmode: PURE1E\ncaps: cap_net_raw=i"},
	{name: "real root", profile: "iab: \"\"", mark: setID(33, 0, unixSetUID)},
	{name: "a set-user-ID target", caller: "uid=1000", profile: "umask: \"0022\"", mark: setID(5, 0, unixSetUID)},
	{name: "user namespace of one user", caller: "userns=0", profile: "caps: cap_setuid=ep"},
	{name: "user namespace", caller: "userns=0:0:1000", profile: "uid: 33\ngid: 33\niab: \"^cap_setgid,^cap_setuid\""},
	{name: "an open user namespace", caller: "userns=0:0:1000", profile: "uid: 33\ngid: 33\niab: \"\""},
}

const (
	unixSetUID = 0o4000
	unixSetGID = 0o2000
)

// TestReachableKernel starts, for each sentence that explain prints about a target, a
// real program in the target's state, and compares what the kernel does with the
// sentence. Every sentence of claimFormats must come up.
func TestReachableKernel(t *testing.T) {
	requires.Root(t)
	patterns := make([]*regexp.Regexp, len(claimFormats))
	for c, format := range claimFormats {
		patterns[c] = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(format), "%s", "(.*)") + "$")
	}
	seen := map[claim]bool{}
	for _, s := range reachableScenes {
		t.Run(s.name, func(t *testing.T) {
			s.prepare(t)
			if failed := s.start()["failed"]; failed != "" {
				t.Fatal(failed)
			}
			for _, sentence := range s.reachable() {
				// The longest format says most.
				best := claim(-1)
				for c, p := range patterns {
					if p.MatchString(sentence) && (best < 0 || len(claimFormats[c]) > len(claimFormats[best])) {
						best = claim(c)
					}
				}
				if best < 0 || claimChecks[best] == nil {
					t.Errorf("nothing checks %q", sentence)
					continue
				}
				seen[best] = true
				if err := claimChecks[best](&s, patterns[best].FindStringSubmatch(sentence)[1:]); err != nil {
					t.Errorf("%s\n%v", sentence, err)
				}
			}
		})
	}
	for c, format := range claimFormats {
		if !seen[claim(c)] && !t.Failed() {
			t.Errorf("no scene leads to %q", format)
		}
	}
}

// claimChecks compare a sentence with the kernel. They get the words at the places of
// the format.
var claimChecks = map[claim]func(s *scene, words []string) error{
	claimNoNewPrivs: func(s *scene, _ []string) error {
		target, ordinary := s.start(), s.runs(s.path("creds"))
		for name, change := range map[string]func(string) error{
			"set-user-ID root":                      setID(0, 0, unixSetUID),
			"set-user-ID 77":                        setID(77, 77, unixSetUID),
			"set-group-ID 77":                       setID(77, 77, unixSetGID),
			"permitted file capabilities":           fileCaps(kernelCaps(), 0, false),
			"inheritable file capabilities":         fileCaps(0, kernelCaps(), true),
			"effective within the bounding set":     fileCaps(target.caps("bounding"), 0, true),
			"inheritable, within the inheritable's": fileCaps(0, target.caps("inheritable"), true),
		} {
			got := s.runs(s.program(change))
			if got["failed"] != "" || !got.caps("permitted").SubsetOf(target.caps("permitted")) ||
				got["uids"] != ordinary["uids"] || got["gids"] != ordinary["gids"] {
				return fmt.Errorf("%s: %v", name, got)
			}
		}
		return nil
	},
	claimSetRoot: func(s *scene, words []string) error {
		return s.expectRoot(parseCaps(words[0]))
	},
	claimSetRootNoRoot: func(s *scene, _ []string) error { return s.expectRoot(0) },
	claimSetRootEmpty:  func(s *scene, _ []string) error { return s.expectRoot(0) },
	claimSetID: func(s *scene, _ []string) error {
		user, group := s.runs(s.program(setID(77, 0, unixSetUID))), s.runs(s.program(setID(0, 77, unixSetGID)))
		if user.ids("uids")[1] != 77 || group.ids("gids")[1] != 77 {
			return fmt.Errorf("%v\n%v", user, group)
		}
		return nil
	},
	claimFileCaps: expectFileCaps,
	claimNoFileCaps: func(s *scene, _ []string) error {
		return s.expectSets(s.program(fileCaps(kernelCaps(), kernelCaps(), false)), 0, 0)
	},
	claimNotStarted: func(s *scene, _ []string) error { return s.expectNotStarted(0) },
	claimNotStartedInherit: func(s *scene, words []string) error {
		return s.expectNotStarted(parseCaps(words[0]))
	},
	claimNoRootPower: func(s *scene, _ []string) error {
		if !slices.Contains(s.runs(s.path("creds")).ids("uids")[:4], 0) {
			return errors.New("it is not root")
		}
		return s.expectSets(s.path("creds"), 0, 0)
	},
	claimRealRoot: func(s *scene, words []string) error {
		return s.expectSets(s.path("creds"), parseCaps(words[0]), parseCaps(words[1]))
	},
	claimRootPower:  expectOrdinary,
	claimOrdinary:   expectOrdinary,
	claimNoOrdinary: func(s *scene, _ []string) error { return s.expectSets(s.path("creds"), 0, 0) },
	claimRaise: func(s *scene, words []string) error {
		if err := s.expectSets(s.path("creds"), 0, 0); err != nil {
			return err
		}
		caps := uint64(parseCaps(words[0]))
		inheritable := uint64(s.start().caps("inheritable"))
		got := s.does(fmt.Sprintf("inheritable=%#x", inheritable|caps), fmt.Sprintf("ambient=%#x", caps))
		if got.caps("effective") != parseCaps(words[0]) {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimAnyUser: func(s *scene, _ []string) error {
		uid := 77
		if s.caller == "userns=0" {
			uid = 0
		}
		got := s.does(fmt.Sprint("uid=", uid))
		if want := fmt.Sprintf("%d %[1]d %[1]d %[1]d", uid); got["uids"] != want {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimAnyUserAsRoot: func(s *scene, words []string) error {
		if got := s.does("uid=77"); got["uids"] != "77 77 77 77" {
			return fmt.Errorf("%v", got)
		}
		if got := s.does("uid=0"); got["uids"] != "0 0 0 0" || got.caps("permitted") != parseCaps(words[len(words)-1]) {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimOtherUID: func(s *scene, words []string) error {
		for uid := range strings.SplitSeq(words[0], " and ") {
			if got := s.launch(s.path("target-runas"), "uid=4294967295,"+uid+",4294967295", "--", s.path("creds")); fmt.Sprint(got.ids("uids")[1]) != uid {
				return fmt.Errorf("%s: %v", uid, got)
			}
		}
		return nil
	},
	claimAnyGroup: func(s *scene, _ []string) error {
		if got := s.does("gid=77", "groups=77"); got["gids"] != "77 77 77 77" || got["groups"] != "77" {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimAnyRoot: func(s *scene, _ []string) error {
		if err := os.MkdirAll(filepath.Join(s.dir, "below"), 0o755); err != nil {
			return err
		}
		// The working directory is outside of the new root.
		up := "cwd=" + strings.Repeat("../", 40)
		able := fmt.Sprintf("caps=%#x", uint64(s.start().caps("permitted")))
		got := s.launch(s.path("target-runas"), able, "chroot="+s.path("below"), up, "--", "."+filepath.Join(s.dir, "creds"))
		if strings.HasPrefix(got["cwd"], "/") || !slices.Contains(strings.Fields(got["parents"]), "proc") {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimSets: func(s *scene, _ []string) error {
		start := s.start()
		all := start.caps("bounding").Union(start.caps("inheritable"))
		if got := s.does(fmt.Sprintf("inheritable=%#x", uint64(all))); got.caps("inheritable") != all {
			return fmt.Errorf("%v", got)
		}
		if got := s.does(fmt.Sprintf("unbound=%#x", uint64(start.caps("bounding")))); got["failed"] != "" || got.caps("bounding") != 0 {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimClear: func(s *scene, words []string) error {
		bits := s.start().caps("securebits")
		var clear cred.Caps
		for name := range strings.SplitSeq(words[0], ",") {
			bit, err := cap.SecbitsFromName(name)
			if err != nil || !bits.Has(bitNumber(bit)) {
				return fmt.Errorf("%s: %v", name, err)
			}
			clear |= cred.Caps(bit)
		}
		if got := s.does(fmt.Sprintf("secbits=%#x", uint64(bits&^clear))); got.caps("securebits") != bits&^clear {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
	claimSet: func(s *scene, _ []string) error {
		bits := s.start().caps("securebits")
		for _, bit := range []cred.Securebits{cred.SecNoRoot, cred.SecNoSetuidFixup, cred.SecNoCapAmbientRaise} {
			if want := bits | cred.Caps(bit); want != bits && s.does(fmt.Sprintf("secbits=%#x", uint64(want))).caps("securebits") == want {
				return nil
			}
		}
		return errors.New("it can set none")
	},
	claimOwnsRoot: func(s *scene, _ []string) error {
		file := filepath.Join(s.dir, "secret")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return err
		}
		other := s.launch(s.path("target-runas"), "fd=9:"+s.path("secret"), "--", s.path("creds"))
		got := s.launch(s.path("target-runas"), "uid=4294967295,0,4294967295", "lose=0x1ffffffffff", "fd=9:"+s.path("secret"), "--", s.path("creds"))
		if got["failed"] != "" {
			return fmt.Errorf("%v, without losing capabilities %v", got, other)
		}
		return nil
	},
	claimSecure: func(s *scene, _ []string) error {
		if got := s.start(); got["at_secure"] != "1" {
			return fmt.Errorf("%v", got)
		}
		return nil
	},
}

func bitNumber(bit cap.Secbits) (n int) {
	for ; bit > 1; bit >>= 1 {
		n++
	}
	return n
}

func expectOrdinary(s *scene, words []string) error {
	return s.expectSets(s.path("creds"), parseCaps(words[0]), parseCaps(words[0]))
}

// expectSets compares the permitted and effective sets of a program with wanted ones.
func (s *scene) expectSets(program string, permitted, effective cred.Caps) error {
	got := s.runs(program)
	if got["failed"] != "" || got["uids"] == "" || got.caps("permitted") != permitted || got.caps("effective") != effective {
		return fmt.Errorf("%v", got)
	}
	return nil
}

// expectRoot runs a set-user-ID root program.
func (s *scene) expectRoot(caps cred.Caps) error {
	got := s.runs(s.program(setID(0, 0, unixSetUID)))
	if got.ids("uids")[1] != 0 || got.caps("permitted") != caps || got.caps("effective") != caps {
		return fmt.Errorf("%v", got)
	}
	return nil
}

func expectFileCaps(s *scene, words []string) error {
	permitted, inheritable := cred.Caps(0), cred.Caps(0)
	text, ambient := strings.CutSuffix(strings.Join(words, ""), ", and not the ambient set")
	for _, part := range strings.Split(text, " and the inheritable ones within ") {
		switch caps, both := strings.CutPrefix(part, "the permitted and inheritable ones within "); {
		case both:
			permitted, inheritable = parseCaps(caps), parseCaps(caps)
		case part == "all permitted ones":
			permitted = kernelCaps()
		case strings.HasPrefix(part, "the permitted ones within "):
			permitted = parseCaps(strings.TrimPrefix(part, "the permitted ones within "))
		default:
			inheritable = parseCaps(strings.TrimPrefix(part, "the inheritable ones within "))
		}
	}
	if caps := s.start().caps("ambient"); (caps != 0) != ambient {
		return fmt.Errorf("the ambient set of the target is %s", caps.String())
	}
	within := s.start().caps("bounding")
	return errors.Join(
		s.expectSets(s.program(fileCaps(kernelCaps(), 0, false)), permitted, 0),
		s.expectSets(s.program(fileCaps(within, 0, true)), permitted, permitted),
		s.expectSets(s.program(fileCaps(0, kernelCaps(), true)), inheritable, inheritable))
}

// expectNotStarted runs programs with capabilities outside the bounding set. With those in
// but, a program starts if the file also has them inheritable.
func (s *scene) expectNotStarted(but cred.Caps) error {
	bounding := s.start().caps("bounding")
	starts := func(permitted, inheritable cred.Caps, effective bool) bool {
		got := s.runs(s.program(fileCaps(permitted, inheritable, effective)))
		return got["uids"] != "" && got["exec"] != "operation not permitted"
	}
	outside := kernelCaps().Minus(bounding)
	tried, most := 0, requires.Rounds(1, 3)
	for n := range 64 {
		c := cred.CapsOf(n)
		switch {
		case !outside.Has(n), tried >= most && !but.Has(n):
			continue
		case starts(bounding.Union(c), 0, true), starts(c, c, true) != but.Has(n), !starts(c, c, false):
			return errors.New(c.String())
		}
		tried++
	}
	if !starts(bounding, kernelCaps(), true) {
		return errors.New("a program with the capabilities of the bounding set does not start")
	}
	return nil
}

// kernelCaps returns the capabilities of the running kernel.
func kernelCaps() cred.Caps { return cred.FirstCaps(int(cap.MaxBits())) }

// parseCaps parses a set as sentences have it.
func parseCaps(text string) cred.Caps {
	switch text {
	case "every capability":
		return kernelCaps()
	case "none":
		return 0
	}
	names, but := strings.CutPrefix(text, "all but ")
	var caps cred.Caps
	for name := range strings.SplitSeq(names, ",") {
		v, err := cap.FromName(name)
		if err != nil {
			return 1 << 63
		}
		caps = caps.With(int(v))
	}
	if but {
		return kernelCaps().Minus(caps)
	}
	return caps
}
