package observe

import (
	"reflect"
	"strings"
	"testing"
)

const execFormat = `name: sched_process_exec
ID: 365
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
	field:pid_t pid;	offset:12;	size:4;	signed:1;
	field:char comm[16];	offset:16;	size:16;	signed:0;
	field:const struct cred * cred;	offset:32;	size:8;	signed:0;

print fmt: "filename=%s pid=%d old_pid=%d", __get_str(filename), REC->pid, REC->old_pid
`

func TestFormat(t *testing.T) {
	got, err := parseFormat(execFormat)
	want := format{id: 365, fields: map[string]field{
		"common_type": {0, 2, false, false}, "common_pid": {4, 4, true, false},
		"filename": {8, 4, false, true}, "pid": {12, 4, true, false}, "comm": {16, 16, false, false}, "cred": {32, 8, false, false},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v %+v\nwant %+v", err, got, want)
	}
	raw := bytesOf(uint16(365), uint16(0), int32(-7), uint32(9<<16|16), int32(-2), "/bin/sh\x00\x00")
	if name := got.text(raw, "filename"); name != "/bin/sh" {
		t.Errorf("filename %q", name)
	}
	if n := got.number(raw, "common_pid"); n != -7 {
		t.Errorf("common_pid %d", n)
	}
	// What the raw data lacks.
	if got.text(raw[:20], "filename") != "" || got.number(raw, "cred") != 0 || got.number(raw, "none") != 0 || got.text(raw, "pid") != "" {
		t.Error("values beyond the end")
	}
	if err := got.has("pid", "none"); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Error(err)
	}
}

func TestFormatInvalid(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"no ID":         strings.Replace(execFormat, "ID: 365", "", 1),
		"ID 0":          strings.Replace(execFormat, "ID: 365", "ID: 0", 1),
		"large ID":      strings.Replace(execFormat, "ID: 365", "ID: 65536", 1),
		"no offset":     strings.Replace(execFormat, "offset:4;", "", 1),
		"offset":        strings.Replace(execFormat, "offset:4;", "offset:-4;", 1),
		"large offset":  strings.Replace(execFormat, "offset:4;", "offset:99999999999;", 1),
		"no name":       strings.Replace(execFormat, "int common_pid", "", 1),
		"too many":      "ID: 1\n" + manyFields(),
		"size no digit": strings.Replace(execFormat, "size:4", "size:x", 1),
	} {
		if f, err := parseFormat(text); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func manyFields() string {
	var b strings.Builder
	for n := range maxFields + 1 {
		b.WriteString("field:int a" + strings.Repeat("x", n) + "; offset:0; size:4; signed:1;\n")
	}
	return b.String()
}

func FuzzFormat(f *testing.F) {
	f.Add(execFormat, []byte("raw data of some length, with numbers"))
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		parsed, err := parseFormat(text)
		if err != nil {
			return
		}
		for name := range parsed.fields {
			parsed.number(raw, name)
			if s := parsed.text(raw, name); len(s) > len(raw) {
				t.Errorf("%q", s)
			}
		}
	})
}
