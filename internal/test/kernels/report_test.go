package main

import (
	"strings"
	"testing"
)

var testSuites = []suite{
	{name: "model", count: "sequences compared", least: 300},
	{name: "scenes"},
}

const goodReport = `boot noise
@@ kernel 6.1.0-57-cloud-amd64
@@ begin model
    x_test.go:1: seed 1: 200 sequences compared, 50 of them to the end of exec
    x_test.go:1: seed 1: 100 sequences compared, 20 of them to the end of exec
--- PASS: TestKernel (1.00s)
    --- SKIP: TestKernel/one (0.00s)
PASS

@@ end model 0 12
@@ begin scenes
--- PASS: TestKernelVersion (1.00s)
--- SKIP: TestOther (0.00s)
PASS

@@ end scenes 0 3
@@ done
`

func TestParse(t *testing.T) {
	r := parse([]byte(goodReport), testSuites)
	if r.err != nil || r.release != "6.1.0-57-cloud-amd64" || len(r.suites) != 2 {
		t.Fatalf("%+v", r)
	}
	model, scenes := r.suites[0], r.suites[1]
	if model.err != nil || model.counted != 300 || model.passed != 1 || len(model.skipped) != 1 || model.seconds != 12 {
		t.Errorf("%+v", model)
	}
	if scenes.err != nil || scenes.passed != 1 || len(scenes.skipped) != 1 || scenes.seconds != 3 {
		t.Errorf("%+v", scenes)
	}
}

// TestParseFails has reports that must not count as success.
func TestParseFails(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(goodReport, old) {
			t.Fatalf("the report lacks %q", old)
		}
		return strings.Replace(goodReport, old, new, 1)
	}
	for name, text := range map[string]string{
		"empty":                   "",
		"no end of the guest":     replace("@@ done\n", ""),
		"no end of a suite":       replace("@@ end scenes 0 3\n", ""),
		"no suite":                replace("@@ begin scenes\n", ""),
		"a status":                replace("@@ end scenes 0 3", "@@ end scenes 1 3"),
		"killed":                  replace("@@ end scenes 0 3", "@@ end scenes 137 3"),
		"no number":               replace("@@ end scenes 0 3", "@@ end scenes x 3"),
		"the end of another":      replace("@@ end scenes 0 3", "@@ end model 0 3"),
		"too few":                 replace("100 sequences", "99 sequences"),
		"no test passed":          replace("--- PASS: TestKernelVersion", "--- SKIP: TestKernelVersion"),
		"a test failed, status 0": replace("--- SKIP: TestOther", "--- FAIL: TestOther"),
	} {
		r := parse([]byte(text), testSuites)
		if !r.printFailures(&strings.Builder{}) {
			t.Errorf("%s: counts as success", name)
		}
	}
	r := parse([]byte(goodReport), testSuites)
	if r.printFailures(&strings.Builder{}) {
		t.Error("the good report counts as a failure")
	}
	r.kernel.release = "6.12."
	if !r.printFailures(&strings.Builder{}) {
		t.Error("another kernel counts as success")
	}
}

// TestArchive compares with the format that the kernel documents.
func TestArchive(t *testing.T) {
	var b strings.Builder
	a := &archive{w: &b, made: map[string]bool{}}
	a.file("etc/passwd", "root\n", 0o644)
	if a.err != nil {
		t.Fatal(a.err)
	}
	header := func(inode, mode, size, name string) string {
		zero := "00000000"
		return "070701" + inode + mode + zero + zero + "00000001" + zero + size + zero + zero + zero + zero + name + zero
	}
	want := header("00000001", "000041ed", "00000000", "00000004") + "etc\x00\x00\x00" +
		header("00000002", "000081a4", "00000005", "0000000b") + "etc/passwd\x00\x00\x00\x00" + "root\n\x00\x00\x00"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("noise\n", 50)
	got := excerpt(long + "cause\n--- FAIL: TestOne (0.00s)\n" + long + "        FAIL: testdata/script/x.txtar:3: unexpected\n" + long)
	if !strings.Contains(got, "cause\n--- FAIL: TestOne") || !strings.Contains(got, "x.txtar:3") || strings.Count(got, "noise") > 30 {
		t.Error(got)
	}
	if got := excerpt(long + "killed\n"); !strings.HasSuffix(got, "killed\n") || strings.Count(got, "\n") > 20 {
		t.Error(got)
	}
	if got := excerpt(strings.Repeat("--- FAIL: TestOne\n", 1000)); strings.Count(got, "\n") > 200 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
}
