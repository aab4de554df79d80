package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sealedProfile = "version: 1\nname: web\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\n"

// sealedFile seals a profile, and returns the path of a launcher with its bytes changed.
func sealedFile(t *testing.T, change func([]byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	profile, file := filepath.Join(dir, "web.yaml"), filepath.Join(dir, "web")
	if err := os.WriteFile(profile, []byte(sealedProfile), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := run("seal", "-arch", "amd64", "-o", file, profile); status != exitOK {
		t.Fatalf("seal: status %d, %s", status, stderr)
	}
	data, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, change(data), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// changeCode changes one bit of the code.
func changeCode(file []byte) []byte {
	file[1000] ^= 1
	return file
}

// TestSealedModified: no review takes a launcher whose code is not what its profile seals
// to.
func TestSealedModified(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"code": {changeCode, "modified after it was sealed: it may do something else than its profile declares; seal its profile again"},
		"profile": {
			func(file []byte) []byte { return bytes.Replace(file, []byte("uid: 33"), []byte("uid: 34"), 1) },
			"modified after it was sealed: it may do something else than its profile declares; seal its profile again",
		},
		"writable": {
			func(file []byte) []byte { file[64+4] |= 2; return file },
			"a sealed launcher in another form than this caprun writes: it was modified, or sealed by another version; seal its profile again",
		},
		"cut": {func(file []byte) []byte { return file[:100] }, "an executable (ELF), and not a sealed launcher; want a profile, which is YAML"},
	} {
		file := sealedFile(t, c.change)
		plain := filepath.Join(filepath.Dir(file), "web.yaml")
		for _, args := range [][]string{
			{"explain", file}, {"check", file}, {"check", "-ceiling", file, plain}, {"diff", file, plain}, {"diff", plain, file},
			{"verify", "-pid", "1", file}, {"seal", "-o", file + "2", file},
		} {
			status, stdout, stderr := run(args...)
			if status != exitError || stdout != "" || stderr != "caprun: "+file+": "+c.want+"\n" {
				if args[0] == "verify" && strings.Contains(stderr, "only on Linux") {
					continue
				}
				t.Errorf("%s: %q: status %d, %s%s", name, args, status, stdout, stderr)
			}
		}
		if status, _, stderr := run("seal", "-check", file, plain); status != exitFindings || !strings.Contains(stderr, ": not what "+plain+" seals to: ") {
			t.Errorf("%s: -check: status %d, %s", name, status, stderr)
		}
	}
}

// TestSealedGenerator: explain prints the plan of a launcher of another version of the
// generator, and says that it cannot compare. The other commands refuse it.
func TestSealedGenerator(t *testing.T) {
	file := sealedFile(t, func(file []byte) []byte {
		return bytes.Replace(changeCode(file), []byte("generator 1\n"), []byte("generator 7\n"), 1)
	})
	status, stdout, stderr := run("explain", file)
	if status != exitOK || !strings.Contains(stdout, "\nSealed  amd64, generator 7; this caprun has another generator") || stderr != "" {
		t.Errorf("explain: status %d, %s%s", status, stdout, stderr)
	}
	status, stdout, stderr = run("explain", "-format", "json", file)
	if status != exitOK || !strings.Contains(stdout, `"verified": false`) {
		t.Errorf("explain: status %d, %s%s", status, stdout, stderr)
	}
	for _, args := range [][]string{{"check", file}, {"diff", file, file}} {
		if status, stdout, stderr := run(args...); status != exitError || stdout != "" || !strings.Contains(stderr, "sealed by another version of the generator: 7, and this is 1; seal its profile again") {
			t.Errorf("%q: status %d, %s%s", args, status, stdout, stderr)
		}
	}
	plain := filepath.Join(filepath.Dir(file), "web.yaml")
	if status, _, stderr := run("seal", "-check", file, plain); status != exitFindings || !strings.Contains(stderr, "version 7 of the generator wrote it, and this is version 1") {
		t.Errorf("-check: status %d, %s", status, stderr)
	}
}

// TestSealedLarge: a launcher that is larger than a profile may be.
func TestSealedLarge(t *testing.T) {
	dir := t.TempDir()
	profile, file := filepath.Join(dir, "web.yaml"), filepath.Join(dir, "web")
	text := sealedProfile + strings.Repeat("# a long comment\n", 3800)
	if err := os.WriteFile(profile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"seal", "-o", file, profile}, {"check", file}, {"explain", file}, {"diff", file, profile}} {
		if status, stdout, stderr := run(args...); status != exitOK {
			t.Errorf("%q: status %d, %s%s", args, status, stdout, stderr)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Size() < 64<<10 {
		t.Errorf("%v, %v", info, err)
	}
}
