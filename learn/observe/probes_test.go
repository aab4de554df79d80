package observe

import (
	"reflect"
	"testing"
)

func TestParseProbes(t *testing.T) {
	check, result := probeOwner{12, 3456}.probeNames(7)
	const text = `p:caprun/check_12_3456_7 cap_capable target_ns=$arg2:x64
r1024:caprun/result_12_3456_7 cap_capable ret=$retval:s32
r:caprun/result_12_3456_8 cap_capable ret=$retval:s32
p:caprun/check_13_18446744073709551615_1 cap_capable
p:caprun/check_99999999999_1_1 cap_capable
p:caprun/check_0_1_1 cap_capable
p:caprun/check_12_99999999999999999999_1 cap_capable
p:caprun/check_12_3456 cap_capable
p:caprun/other_12_3456_7 cap_capable
p:caprunner/check_12_3456_7 cap_capable
p:other/check_12_3456_7 cap_capable
p:x/caprun/check_12_3456_7 cap_capable
`
	want := map[probeOwner][]string{
		{12, 3456}:                 {check, result, "result_12_3456_8"},
		{13, 18446744073709551615}: {"check_13_18446744073709551615_1"},
	}
	if got := parseProbes(text); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// The longest name: MAX_EVENT_NAME_LEN of kernel/trace/trace_probe.h is 64.
	if _, result := (probeOwner{1<<22 - 1, 1<<64 - 1}).probeNames(1<<31 - 1); len(result) >= 64 {
		t.Errorf("%s is too long", result)
	}
}

func TestMissed(t *testing.T) {
	const profile = `  check_1_2_3                                         5               7
  result_1_2_3                                        5              10
  check_1_2_33                                        5             100
  open                                                0               1
`
	if n := missed(profile, "check_1_2_3", "result_1_2_3"); n != 17 {
		t.Errorf("%d, want 17", n)
	}
	if n := missed("", "check_1_2_3"); n != 0 {
		t.Error(n)
	}
}

func TestScriptInterpreter(t *testing.T) {
	for head, want := range map[string]string{
		"#!/bin/sh\n": "/bin/sh", "#! \t/usr/bin/env python3\nx": "/usr/bin/env", "#!/bin/sh": "/bin/sh",
		"#!\n": "", "#!/bin/sh\x00x": "/bin/sh", "#!/bin/sh\r\n": "/bin/sh\r",
	} {
		if path, script := scriptInterpreter([]byte(head)); !script || path != want {
			t.Errorf("%q: %q %v", head, path, script)
		}
	}
	for _, head := range []string{"", "#", "\x7fELF", " #!/bin/sh"} {
		if path, script := scriptInterpreter([]byte(head)); script {
			t.Errorf("%q: %q", head, path)
		}
	}
}
