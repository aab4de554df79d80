package pair

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"caprun/cap"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// launchings start a program that only exits, one at a time and in parallel.
func launchings() []Pair {
	var path string
	prepare := func() (func(), error) {
		dir, err := os.MkdirTemp("", "noop")
		if err != nil {
			return nil, err
		}
		// The other user must reach it too.
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
		path = filepath.Join(dir, "noop")
		if program := noop(runtime.GOARCH); program == nil {
			path = "/bin/true"
		} else if err := os.WriteFile(path, program, 0o755); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		return func() { os.RemoveAll(dir) }, nil
	}
	plain := func() (launcher, launcher, error) {
		return cap.NewLauncher(path, []string{"noop"}, nil), upstream.NewLauncher(path, []string{"noop"}, nil), nil
	}
	user := func() (launcher, launcher, error) {
		const text = "^cap_net_bind_service,!cap_sys_admin"
		ours := cap.NewLauncher(path, []string{"noop"}, nil)
		theirs := upstream.NewLauncher(path, []string{"noop"}, nil)
		ours.SetUID(1000)
		theirs.SetUID(1000)
		ours.SetGroups(1000, nil)
		theirs.SetGroups(1000, nil)
		ourTuple, ourErr := cap.IABFromText(text)
		theirTuple, theirErr := upstream.IABFromText(text)
		ours.SetIAB(ourTuple)
		theirs.SetIAB(theirTuple)
		return ours, theirs, errors.Join(ourErr, theirErr)
	}
	function := func() (launcher, launcher, error) {
		nothing := func(any) error { return nil }
		return cap.FuncLauncher(nothing), upstream.FuncLauncher(nothing), nil
	}
	return []Pair{
		launches("Launch", plain, 1, prepare),
		launches("Launch, 64 at once", plain, 64, prepare),
		launches("Launch with ids and a tuple", user, 1, prepare),
		launches("Launch of a function", function, 1, prepare),
	}
}

type launcher interface{ Launch(any) (int, error) }

// launches makes the Launchers once, as a server does. Each time it launches count
// programs and waits until all have ended.
func launches(name string, build func() (ours, theirs launcher, err error), count int, prepare func() (func(), error)) Pair {
	var ours, theirs launcher
	return Pair{
		Name:   name,
		Ours:   func() error { return launchAll(ours, count) },
		Theirs: func() error { return launchAll(theirs, count) },
		Prepare: func() (func(), error) {
			undo, err := prepare()
			if err != nil {
				return nil, err
			}
			if ours, theirs, err = build(); err != nil {
				undo()
				return nil, err
			}
			return undo, nil
		},
		Root: true,
	}
}

func launchAll(l launcher, count int) error {
	one := func() error {
		pid, err := l.Launch(nil)
		if err != nil || pid == 0 {
			return err
		}
		return wait(pid)
	}
	if count == 1 {
		return one()
	}
	errs := make([]error, count)
	var wg sync.WaitGroup
	for n := range errs {
		wg.Go(func() { errs[n] = one() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func wait(pid int) error {
	for {
		_, err := syscall.Wait4(pid, nil, 0, nil)
		if err != syscall.EINTR {
			return err
		}
	}
}

// noop returns a static program that calls exit(0), or nil for an architecture whose
// instructions it does not have.
func noop(arch string) []byte {
	var machine uint16
	var code []byte
	switch arch {
	case "amd64":
		machine, code = 62, []byte{0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}
	case "arm64":
		machine, code = 183, []byte{0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4}
	default:
		return nil
	}
	const base, header = 0x400000, 64 + 56
	le := binary.LittleEndian
	d := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	d = le.AppendUint16(d, 2) // an executable
	d = le.AppendUint16(d, machine)
	d = le.AppendUint32(d, 1)
	d = le.AppendUint64(d, base+header) // entry address
	d = le.AppendUint64(d, 64)          // the program header
	d = le.AppendUint64(d, 0)
	d = le.AppendUint32(d, 0)
	for _, n := range []uint16{64, 56, 1, 0, 0, 0} {
		d = le.AppendUint16(d, n)
	}
	size := uint64(header + len(code))
	d = le.AppendUint32(d, 1) // segment to load
	d = le.AppendUint32(d, 5) // readable, executable
	for _, n := range []uint64{0, base, base, size, size, 0x1000} {
		d = le.AppendUint64(d, n)
	}
	return append(d, code...)
}
