package observe

import (
	"encoding/binary"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// A fakeProcess has memory from address 4096 on, which ends where it does.
type fakeProcess struct {
	noProcess
	memory []byte
	links  map[string]string
}

const base = 4096

func (p fakeProcess) read(_ int, address uint64, b []byte) bool {
	if address < base || address-base+uint64(len(b)) > uint64(len(p.memory)) {
		return false
	}
	copy(b, p.memory[address-base:])
	return true
}

func (p fakeProcess) link(_ int, name string) (string, bool) {
	s, found := p.links[name]
	return s, found
}

var allKnown = [6]bool{true, true, true, true, true, true}

func TestArguments(t *testing.T) {
	memory := make([]byte, 8192)
	place := func(at int, b ...any) uint64 {
		copy(memory[at:], bytesOf(b...))
		return uint64(base + at)
	}
	absolute, relative, evil := place(0, "/etc/shadow\x00"), place(100, "./data\x00"), place(200, "a\n\x1b[0m\u202e\x00")
	long := place(4000, strings.Repeat("x", 200)+"\x00") // in two pages
	endless := uint64(base + 5000)
	for n := 5000; n < len(memory); n++ {
		memory[n] = 'y'
	}
	inet := place(300, uint16(familyInet), []byte{0, 80, 127, 0, 0, 1}, uint64(0))
	inet6 := place(400, uint16(familyInet6), []byte{1, 187, 0, 0, 0, 0}, make([]byte, 15), []byte{1}, uint32(0))
	local, abstract := place(500, uint16(familyUnix), "/run/x\x00rest"), place(600, uint16(familyUnix), "\x00bus")
	packet := place(700, uint16(17), "something")
	groups := place(800, []uint32{33, 4294967294})
	cwd := uint64(1<<64 - 100)
	for _, test := range []struct {
		call string
		args [6]uint64
		want string
	}{
		{"open", [6]uint64{absolute}, `"/etc/shadow"`},
		{"open", [6]uint64{relative}, `"/srv/data"`},
		{"open", [6]uint64{long}, `"/srv/` + strings.Repeat("x", 200) + `"`},
		{"open", [6]uint64{evil}, `"/srv/a\n\x1b[0m\u202e"`},
		{"open", [6]uint64{0}, ""},
		{"open", [6]uint64{1}, ""},
		{"open", [6]uint64{endless}, ""},
		{"openat", [6]uint64{cwd, relative}, `"/srv/data"`},
		{"openat", [6]uint64{3, relative}, `"/var/data"`},
		{"openat", [6]uint64{9, relative}, `"./data"`},
		{"openat", [6]uint64{4, relative}, `"./data"`},
		{"chown", [6]uint64{absolute, 33, 1<<32 - 1}, `"/etc/shadow", 33, -1`},
		{"chown", [6]uint64{0, 33, 33}, ""},
		{"fchown", [6]uint64{3, 33, 33}, `"/var", 33, 33`},
		{"fchown", [6]uint64{9, 33, 33}, `9, 33, 33`},
		{"chmod", [6]uint64{absolute, 0o4755}, `"/etc/shadow", 04755`},
		{"renameat2", [6]uint64{3, relative, cwd, absolute}, `"/var/data", "/etc/shadow"`},
		{"mount", [6]uint64{absolute, relative, 0}, `"/etc/shadow", "/srv/data"`},
		{"bind", [6]uint64{3, inet, 16}, "127.0.0.1:80"},
		{"bind", [6]uint64{3, inet6, 28}, "[::1]:443"},
		{"bind", [6]uint64{3, inet6, 8}, "AF_INET6"},
		{"bind", [6]uint64{3, local, 110}, `"/run/x"`},
		{"bind", [6]uint64{3, abstract, 6}, `"@bus"`},
		{"bind", [6]uint64{3, local, 2}, "AF_UNIX"},
		{"bind", [6]uint64{3, packet, 10}, "AF_PACKET"},
		{"bind", [6]uint64{3, inet, 1}, ""},
		{"bind", [6]uint64{3, inet, 129}, ""},
		{"socket", [6]uint64{17, 3 | 0o2000000, 768}, "AF_PACKET, SOCK_RAW, 768"},
		{"socket", [6]uint64{99, 9, 0}, "AF_99, SOCK_9, 0"},
		{"setgroups", [6]uint64{2, groups}, "2 groups"},
		{"setgroups", [6]uint64{0, 0}, "0 groups"},
		{"setgroups", [6]uint64{1, groups}, "1 group"},
		{"setgroups", [6]uint64{maxGroups + 1, groups}, "65537 groups"},
		{"kill", [6]uint64{1<<64 - 1, 9}, "-1, 9"},
		{"syslog", [6]uint64{2}, "2"},
		{"unknown", [6]uint64{2}, ""},
	} {
		c := callReader{process: fakeProcess{memory: memory, links: map[string]string{"cwd": "/srv", "fd/3": "/var", "fd/4": "socket:[1]"}}, args: test.args, known: allKnown}
		if got := c.text(test.call); got != test.want {
			t.Errorf("%s %v: %s, want %s", test.call, test.args, got, test.want)
		}
	}
	c := callReader{process: fakeProcess{memory: memory}, args: [6]uint64{absolute, 33, 33}}
	if got := c.text("chown"); got != "" {
		t.Errorf("without known arguments: %s", got)
	}
}

// TestArgumentKinds: each kind of callArguments has a meaning, and each call a number.
func TestArgumentKinds(t *testing.T) {
	calls := map[string]bool{}
	for _, names := range callNames {
		for _, name := range names() {
			calls[name] = true
		}
	}
	for name, kinds := range callArguments {
		if !calls[name] {
			t.Errorf("unknown system call %s", name)
		}
		if len(kinds) > 6 || strings.Trim(kinds, ".sdtfioagFT") != "" || strings.ContainsAny(kinds[len(kinds)-min(1, len(kinds)):], "dag") && kinds != "g" && !strings.HasSuffix(kinds, ".a") {
			t.Errorf("%s: %q", name, kinds)
		}
	}
	for name := range idCalls {
		if !slices.Contains(idCallNames, name) || len(idCallNames) != len(idCalls) {
			t.Errorf("%s is not in %q", name, idCallNames)
		}
	}
}

// TestCallNumbers compares with the constants of golang.org/x/sys/unix.
func TestCallNumbers(t *testing.T) {
	dir, err := exec.Command(requires.Tool(t, "go"), "list", "-f", "{{.Dir}}", "golang.org/x/sys/unix").Output()
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^\s*SYS_(\w+)\s*=\s*(\d+)$`)
	for arch, names := range callNames {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "zsysnum_linux_"+arch+".go"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]string{}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			n, _ := strconv.ParseInt(m[2], 10, 64)
			want[n] = strings.ToLower(m[1])
		}
		if got := names(); len(want) < 300 || !maps.Equal(got, want) {
			t.Errorf("%s: %d names, want %d", arch, len(got), len(want))
		}
	}
	if name := callName("amd64", 105); name != "setuid" {
		t.Error(name)
	}
	if name := callName("amd64", 99999); name != "syscall_99999" {
		t.Error(name)
	}
}

func TestNumberInCode(t *testing.T) {
	arm := func(instructions ...uint32) (b []byte) {
		for _, i := range instructions {
			b = binary.LittleEndian.AppendUint32(b, i)
		}
		return b
	}
	for _, test := range []struct {
		arch string
		code []byte
		want int64 // or -1
	}{
		{"amd64", []byte{0x90, 0xb8, 0x69, 0, 0, 0, 0x0f, 0x05}, 105},
		{"amd64", []byte{0x90, 0xb8, 0x69, 1, 0, 0, 0x0f, 0x05}, 361},
		{"amd64", []byte{0x90, 0xb9, 0x69, 0, 0, 0, 0x0f, 0x05}, -1},
		{"amd64", []byte{0x90, 0xb8, 0x69, 0, 0, 0, 0x0f, 0x06}, -1},
		{"amd64", []byte{0x0f, 0x05}, -1},
		{"arm64", arm(0xd2801248, 0xd4000001), 146}, // mov x8, #146; svc #0
		{"arm64", arm(0xd2801249, 0xd4000001), -1},
		{"arm64", arm(0xd2801248, 0xd4000002), -1},
		{"riscv64", make([]byte, 8), -1},
	} {
		got, ok := numberInCode(test.arch, test.code)
		if ok != (test.want >= 0) || ok && got != test.want {
			t.Errorf("%s % x: %d %v, want %d", test.arch, test.code, got, ok, test.want)
		}
	}
}

func FuzzArguments(f *testing.F) {
	f.Add("bind", []byte("\x02\x00\x00\x50\x7f\x00\x00\x01/etc\x00"), uint64(base), uint64(base), uint64(16))
	f.Fuzz(func(t *testing.T, name string, memory []byte, a, b, c uint64) {
		for known := range 2 {
			reader := callReader{process: fakeProcess{memory: memory}, args: [6]uint64{a, b, c, a, b, c}, known: [6]bool{known == 0, true, true, true, true, true}}
			for _, call := range []string{name, "bind", "setgroups", "mount", "openat"} {
				for _, r := range reader.text(call) {
					if r < ' ' || r > '~' {
						t.Errorf("%s: %q", call, reader.text(call))
					}
				}
			}
		}
	})
}
