package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"caprun/cap"
)

// fileCalls work on files in a separate directory.
func fileCalls() []call {
	var none *cap.Set
	in := func(do func(dir string)) func() {
		return func() {
			// The same name for both packages: errors contain it.
			dir := os.Getenv("CONFORMANCE_DIRECTORY")
			check(os.Chdir(dir))
			for _, err := range []error{
				os.WriteFile("file", nil, 0o755), os.Symlink("file", "link"), os.Symlink("nothing", "dangling"), os.Symlink("loop", "loop"),
				os.Mkdir("directory", 0o755), syscall.Mkfifo("fifo", 0o600),
			} {
				if err != nil && !os.IsExist(err) && !os.IsPermission(err) {
					check(err)
				}
			}
			syscall.Removexattr("file", "security.capability")
			do(dir)
		}
	}
	paths := []string{"file", "link", "dangling", "loop", "directory", "nothing", "file/x", "", "/dev/null", "\x00", strings.Repeat("x", 300)}
	set, err := cap.FromText("cap_kill=ep cap_bpf+i")
	check(err)
	return []call{
		{name: "GetFile", do: in(func(string) {
			for _, path := range append(paths, "fifo") {
				show(cap.GetFile(path))
			}
		})},
		{name: "Set.SetFile", do: in(func(string) {
			for _, path := range paths {
				show(set.SetFile(path))
				show(cap.GetFile(path))
			}
		})},
		{name: "Set.SetFile of nil", do: in(func(string) {
			for _, path := range paths {
				set.SetFile(path)
				show(none.SetFile(path))
				show(none.SetFile(path))
			}
		})},
		{name: "Set.SetFile of a zero Set", do: in(func(string) { show(new(cap.Set).SetFile("file")) })},
		{name: "Set.SetFile with an owner", do: in(func(string) {
			c, err := set.Dup()
			check(err)
			c.SetNSOwner(1000)
			show(c.SetFile("file"))
		})},
		{name: "Set.SetFd", do: in(func(string) {
			for _, path := range []string{"file", "directory", "/dev/null"} {
				f, err := os.Open(path)
				check(err)
				show(cap.GetFd(f))
				show(set.SetFd(f))
				show(cap.GetFd(f))
				show(none.SetFd(f))
				show(none.SetFd(f))
			}
		})},
		{name: "Set.SetFd of no file", do: in(func(string) { show(cap.GetFd(nil)); show(set.SetFd(nil)); show(none.SetFd(nil)) })},
		{name: "Set.SetFd of a zero Set", do: in(func(string) { f, err := os.Open("file"); check(err); show(new(cap.Set).SetFd(f)) })},
		{name: "GetFd of a closed file", do: in(func(string) {
			// Descriptor 0 must be a file without capabilities.
			null, err := os.Open("/dev/null")
			check(err)
			check(syscall.Dup3(int(null.Fd()), 0, 0))
			f, err := os.Open("file")
			check(err)
			check(f.Close())
			show(cap.GetFd(f))
		})},
		{name: "GetFile of a bad attribute", do: in(func(string) {
			for _, d := range []string{
				"\x00\x00\x00\x02" + strings.Repeat("a", 16), "\x01\x00\x00\x02" + strings.Repeat("a", 16), "\x01\x00\x00\x03" + strings.Repeat("a", 16) + "\x07\x00\x00\x00",
			} {
				check(syscall.Setxattr("file", "security.capability", []byte(d), 0))
				show(cap.GetFile("file"))
			}
		})},
		{name: "IABGetPID", do: in(func(dir string) {
			show(cap.ProcRoot(""))
			show(cap.IABGetPID(-1))
			show(cap.IABGetPID(0))
			show(cap.IABGetPID(1 << 30))
			show(cap.ProcRoot(dir))
			show(cap.ProcRoot(""))
			check(os.MkdirAll("7", 0o755))
			zeros := strings.Repeat("0", 16)
			line := func(key, value string) string { return key + ":\t" + value + "\n" }
			all := line("CapInh", "00000000000000a0") + line("CapBnd", "000001ffffffffff") + line("CapAmb", "0000000000000020")
			for _, text := range []string{
				all, "Name:\tx\n" + all + "NoNewPrivs:\t0\n", strings.TrimSuffix(all, "\n"), line("CapInh", zeros) + line("CapBnd", zeros) + line("CapAmb", zeros),
				line("CapInh", "x"+zeros[1:]) + line("CapBnd", zeros) + line("CapAmb", zeros), line("CapInh", zeros[1:]) + line("CapBnd", zeros) + line("CapAmb", zeros),
				line("CapInh", "0"+zeros) + line("CapBnd", zeros) + line("CapAmb", zeros),
			} {
				check(os.WriteFile(filepath.Join("7", "status"), []byte(text), 0o644))
				show(cap.IABGetPID(7))
			}
			show(cap.IABGetPID(8))
		})},
		{name: "IABGetPID without a line", do: in(func(dir string) {
			cap.ProcRoot(dir)
			check(os.MkdirAll("7", 0o755))
			for _, text := range []string{"", "Name:\tx\n", "CapInh:\t0000000000000000\nCapBnd:\t0000000000000000\n"} {
				check(os.WriteFile(filepath.Join("7", "status"), []byte(text), 0o644))
				show(cap.IABGetPID(7))
			}
		})},
	}
}
