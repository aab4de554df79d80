package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are those that tests in the guest build with go.
var programs = []string{"./cmd/caprun", "./internal/test/attributes", "./internal/test/creds", "./internal/test/runas", "./internal/test/signalreport"}

// data are the directories with files that tests read; the guest has no others.
var data = []string{"cmd/caprun", "internal/test/creds", "internal/test/runas", "internal/test/signalreport", "profiles", "policy/testdata", "engine", "cap", "examples", "learn/observe"}

// users of the guest, as Debian has them.
const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
	group  = "root:x:0:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n"
)

// buildImage builds the tests and programs, and writes the initramfs.
func buildImage(ctx context.Context, dir, path string, suites []suite) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := out.Close(); err == nil {
			err = closeErr
		}
	}()
	buffered := bufio.NewWriter(out)
	compressed, err := gzip.NewWriterLevel(buffered, gzip.BestSpeed)
	if err != nil {
		return err
	}
	a := &archive{w: compressed, made: map[string]bool{}}

	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	if err := checkStatic(busybox); err != nil {
		return fmt.Errorf("%w; apt-get install busybox-static", err)
	}
	a.copy("bin/busybox", busybox, 0o755)
	a.file("init", script(suites), 0o755)
	a.file("bin/go", copier, 0o755)
	a.file("etc/passwd", passwd, 0o644)
	a.file("etc/group", group, 0o644)
	for _, name := range []string{"dev", "mnt", "proc", "root", "srv", "sys", "tmp", "usr", "var/tmp"} {
		a.directory(name)
	}
	for _, name := range []string{"usr/bin", "usr/sbin", "sbin"} {
		a.link(name, strings.Repeat("../", strings.Count(name, "/"))+"bin")
	}
	if err := a.addBuilt(ctx, dir, suites); err != nil {
		return err
	}
	for _, d := range data {
		a.tree("src/"+d, d)
	}
	for _, s := range suites {
		a.directory("src/" + s.pkg)
	}
	a.entry("TRAILER!!!", 0, 0, strings.NewReader(""))
	if a.err != nil {
		return a.err
	}
	if err := compressed.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// addBuilt builds and adds the test binaries and the programs.
func (a *archive) addBuilt(ctx context.Context, dir string, suites []suite) error {
	build := func(name, arch string, args ...string) error {
		path := filepath.Join(dir, "built")
		cmd := exec.CommandContext(ctx, "go", append(args[:1:1], append([]string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path}, args[1:]...)...)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if _, err := output(cmd); err != nil {
			return err
		}
		a.copy(name, path, 0o755)
		return os.Remove(path)
	}
	done := map[string]bool{}
	for _, s := range suites {
		name := "tests/" + s.binary()
		if done[name] {
			continue
		}
		done[name] = true
		if err := build(name, cmp.Or(s.arch, "amd64"), "test", "-c", "./"+s.pkg); err != nil {
			return err
		}
	}
	for _, p := range programs {
		if err := build("programs/"+filepath.Base(p), "amd64", "build", p); err != nil {
			return err
		}
	}
	return nil
}

// checkStatic returns an error if a program requires a dynamic loader, which the
// guest does not have.
func checkStatic(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is not static", path)
		}
	}
	return nil
}

// An archive is a "newc" archive of cpio, as the kernel reads it:
// Documentation/driver-api/early-userspace/buffer-format.rst. Root owns everything in
// it. It keeps the first error.
type archive struct {
	w    io.Writer
	made map[string]bool // directories
	next int             // inode
	size int64           // bytes written
	err  error
}

const (
	modeDirectory = 0o040000
	modeFile      = 0o100000
	modeLink      = 0o120000
)

func (a *archive) directory(name string) {
	if name == "." || a.made[name] {
		return
	}
	a.directory(filepath.Dir(name))
	a.made[name] = true
	a.entry(name, modeDirectory|0o755, 0, strings.NewReader(""))
}

func (a *archive) link(name, target string) {
	a.directory(filepath.Dir(name))
	a.entry(name, modeLink|0o777, int64(len(target)), strings.NewReader(target))
}

func (a *archive) file(name, text string, mode int) {
	a.directory(filepath.Dir(name))
	a.entry(name, modeFile|mode, int64(len(text)), strings.NewReader(text))
}

func (a *archive) copy(name, path string, mode int) {
	f, err := os.Open(path)
	if err != nil {
		a.fail(err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.fail(err)
		return
	}
	a.directory(filepath.Dir(name))
	a.entry(name, modeFile|mode, info.Size(), f)
}

// tree adds the regular files below a directory.
func (a *archive) tree(name, dir string) {
	a.fail(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		below, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := 0o644
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		a.copy(filepath.Join(name, below), path, mode)
		return a.err
	}))
}

func (a *archive) entry(name string, mode int, size int64, content io.Reader) {
	a.next++
	if size >= 1<<32 {
		a.fail(fmt.Errorf("%s is too large for the archive", name))
	}
	const links, major, minor, check = 1, 0, 0, 0
	a.write(strings.NewReader(fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.next, mode, 0, 0, links, 0, size, major, minor, 0, 0, len(name)+1, check, name)))
	a.pad()
	before := a.size
	a.write(content)
	if a.err == nil && a.size-before != size {
		a.fail(fmt.Errorf("%s changed while it was read", name))
	}
	a.pad()
}

func (a *archive) pad() { a.write(strings.NewReader("\x00\x00\x00"[:-a.size&3])) }

func (a *archive) write(r io.Reader) {
	if a.err != nil {
		return
	}
	n, err := io.Copy(a.w, r)
	a.size += n
	a.fail(err)
}

func (a *archive) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}
