package systemd

import (
	"testing"

	"caprun/policy"
)

// TestLimits has the values of systemd's tests of rlimit_parse, and of systemd.exec(5).
func TestLimits(t *testing.T) {
	const never = policy.Unlimited
	for _, test := range []struct {
		key, value string
		soft, hard uint64
		ok         bool
	}{
		{"LimitNOFILE", "1024:524288", 1024, 524288, true},
		{"LimitNOFILE", "infinity", never, never, true},
		{"LimitNOFILE", "5:infinity", 5, never, true},
		{"LimitNOFILE", "0x10", 16, 16, true},
		{"LimitNOFILE", "010", 8, 8, true},
		{"LimitNOFILE", "+7", 7, 7, true},
		{"LimitNOFILE", "1K", 0, 0, false},
		{"LimitNOFILE", "-1", 0, 0, false},
		{"LimitNOFILE", "1:2:3", 0, 0, false},
		{"LimitNOFILE", "1_0", 0, 0, false},
		{"LimitNOFILE", "5:", 0, 0, false},
		{"LimitNOFILE", ":5", 0, 0, false},
		{"LimitNOFILE", "9:3", 0, 0, false},
		{"LimitNOFILE", "18446744073709551615", 0, 0, false},
		{"LimitNOFILE", "", 0, 0, false},
		{"LimitCORE", "1K", 1024, 1024, true},
		{"LimitCORE", "1.5K", 1536, 1536, true},
		{"LimitCORE", "1G 500M", 1<<30 + 500<<20, 1<<30 + 500<<20, true},
		{"LimitCORE", "500M 1G", 0, 0, false},
		{"LimitCORE", "8E", 8 << 60, 8 << 60, true},
		{"LimitCORE", "16E", 0, 0, false},
		{"LimitCORE", "1k", 0, 0, false},
		{"LimitCORE", "10B", 10, 10, true},
		{"LimitCPU", "1", 1, 1, true},
		{"LimitCPU", "1500ms", 2, 2, true},
		{"LimitCPU", "1min 30s:1h", 90, 3600, true},
		{"LimitCPU", "1 fortnight", 0, 0, false},
		{"LimitRTTIME", "5", 5, 5, true},
		{"LimitRTTIME", "2s", 2000000, 2000000, true},
		{"LimitNICE", "+0", 20, 20, true},
		{"LimitNICE", "+19", 1, 1, true},
		{"LimitNICE", "+20", 0, 0, false},
		{"LimitNICE", "-20", 40, 40, true},
		{"LimitNICE", "-21", 0, 0, false},
		{"LimitNICE", "0", 0, 0, true},
		{"LimitNICE", "41", 0, 0, false},
		{"LimitNICE", "infinity", 0, 0, false},
		{"LimitRTPRIO", "99", 99, 99, true},
	} {
		name, kind, ok := limitOf(test.key)
		if !ok {
			t.Fatalf("unknown key %s", test.key)
		}
		got, why := parseLimit(name, kind, test.value)
		if (why == "") != test.ok || test.ok && (got.Soft != test.soft || got.Hard != test.hard) {
			t.Errorf("%s=%s: %d %d %q", test.key, test.value, got.Soft, got.Hard, why)
		}
	}
	for _, key := range []string{"LimitNofile", "limitNOFILE", "LimitFOO", "Limit", "NOFILE"} {
		if _, _, ok := limitOf(key); ok {
			t.Errorf("%s is a limit", key)
		}
	}
}

func TestModes(t *testing.T) {
	for text, want := range map[string]int{"0022": 0o022, "7": 7, "7777": 0o7777, "10000": -1, "8": -1, "": -1, "+7": -1, "0o7": -1, "00000022": 0o022} {
		got, ok := parseMode(text)
		if ok != (want >= 0) || ok && int(got) != want {
			t.Errorf("%q: %o %v", text, got, ok)
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct{ file, text, want, unknown string }{
		{"/etc/systemd/system/foo-bar@a-b\\x2dc.service", "%n %N %p %i %I %j %P %J %%", "foo-bar@a-b\\x2dc.service foo-bar@a-b\\x2dc foo-bar a-b\\x2dc a/b-c bar foo/bar bar %", ""},
		{"a.service", "%i|%I|%n", "||a.service", ""},
		{"a@.service", "%p", "a", ""},
		{"a@.service", "x%i", "", "%i"},
		{"a@.service", "%n", "", "%n"},
		{"-", "%n", "", "%n"},
		{"a.socket", "%n", "", "%n"},
		{"a b.service", "%n", "", "%n"},
		{"@x.service", "%n", "", "%n"},
		{"a.service", "%h", "", "%h"},
		{"a.service", "100% %! %", "100% %! %", ""},
		{"a.service", "%%n", "%n", ""},
		{"a@\\q.service", "%I", "", "%I"},
	} {
		got, unknown := nameOf(file(test.file, "")).expand(test.text)
		if got != test.want || unknown != test.unknown {
			t.Errorf("%s %q: %q %q", test.file, test.text, got, unknown)
		}
	}
}

func TestAccountNames(t *testing.T) {
	for name, want := range map[string]bool{
		"web": true, "0": true, "33": true, "a b": true, "DOM\\user": true, "u@d": true, "_apt": true, "1a": true,
		"": false, "65535": false, "4294967295": false, "4294967296": false, "-1": false, "a:b": false, "a/b": false,
		"033": false, ".": false, "..": false, " a": false, "a\n": false,
	} {
		if got := isSystemdName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
