package cap

import (
	"bytes"
	"math/rand"
	"testing"
)

// exportWith sets MinExtFlagSize until the test ends.
func exportWith(t testing.TB, n uint) {
	t.Helper()
	old := MinExtFlagSize
	MinExtFlagSize = n
	t.Cleanup(func() { MinExtFlagSize = old })
}

func TestExport(t *testing.T) {
	const head = "\x90\xc2\x01\x51"
	zeros := func(n int) string { return string(make([]byte, n)) }
	for _, c := range []struct {
		least uint
		text  string
		want  string
	}{
		{0, "=", head + "\x00"},
		{1, "=", head + "\x01" + zeros(3)},
		{8, "=", head + "\x08" + zeros(24)},
		{9, "=", head + "\x09" + zeros(27)},
		{255, "=", head + "\xff" + zeros(765)},
		{0, "cap_chown=e cap_dac_override+p cap_dac_read_search+i", head + "\x01\x01\x02\x04"},
		{0, "8=p", head + "\x02" + zeros(3) + "\x00\x01\x00"},
		{0, "7=p", head + "\x01\x00\x80\x00"},
		{0, "63=i", head + "\x08" + zeros(23) + "\x80"},
		{7, "55=e", head + "\x07" + zeros(18) + "\x80\x00\x00"},
		{7, "56=e", head + "\x08" + zeros(21) + "\x01\x00\x00"},
	} {
		exportWith(t, c.least)
		got, err := mustText(t, c.text).Export()
		if string(got) != c.want || err != nil {
			t.Errorf("%q with at least %d groups is %x, %v; want %x", c.text, c.least, got, err, c.want)
		}
	}
	exportWith(t, 256)
	if got, err := NewSet().Export(); got != nil || err != ErrOutOfRange {
		t.Errorf("Export with at least 256 groups = %x, %v", got, err)
	}
}

func TestImport(t *testing.T) {
	for _, c := range []struct {
		data, want string
	}{
		{"\x90\xc2\x01\x51\x00", "="},
		{"\x90\xc2\x01\x51\x00rest", "="},
		{"\x90\xc2\x01\x51\x01\x01\x02\x03", "cap_dac_override=ip cap_chown+ei"},
		{"\x90\xc2\x01\x51\x01\x01\x02\x03\xff\xff\xff", "cap_dac_override=ip cap_chown+ei"},
		{"\x90\xc2\x01\x51\x02\x00\x00\x00\x04\x00\x00", "cap_net_bind_service=e"},
		{"\x90\xc2\x01\x51\x08" + string(make([]byte, 22)) + "\x80\x00", "= 63+p"},
	} {
		set, err := Import([]byte(c.data))
		if err != nil {
			t.Errorf("Import(%x): %v", c.data, err)
			continue
		}
		wantText(t, set, c.want)
	}
	for data, want := range map[string]error{
		"":                             ErrBadSize,
		"\x90\xc2\x01":                 ErrBadSize,
		"\x90\xc2\x01\x51":             ErrBadSize,
		"\x91\xc2\x01":                 ErrBadSize,
		"\x91\xc2\x01\x51":             ErrBadMagic,
		"\x51\x01\xc2\x90\x00":         ErrBadMagic,
		"\x90\xc2\x01\x51\x01":         ErrBadSize,
		"\x90\xc2\x01\x51\x01\x01\x02": ErrBadSize,
		"\x90\xc2\x01\x51\x09" + string(make([]byte, 27)):   ErrBadSize,
		"\x90\xc2\x01\x51\xff" + string(make([]byte, 3000)): ErrBadSize,
	} {
		if set, err := Import([]byte(data)); set != nil || err != want {
			t.Errorf("Import(%x) = %v, %v; want %v", data, set, err, want)
		}
	}
	if set, err := Import(nil); set != nil || err != ErrBadSize {
		t.Errorf("Import(nil) = %v, %v", set, err)
	}
}

func TestPortableRoundTrip(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	for range 5000 {
		set := randomSet(r)
		set.SetNSOwner(7)
		exportWith(t, uint(r.Intn(9)))
		data, err := set.Export()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Import(data)
		if err != nil {
			t.Fatalf("Import(%x): %v", data, err)
		}
		wantEqual(t, set.String(), set, again)
		if uid, err := again.GetNSOwner(); uid != 0 || err != nil {
			t.Fatalf("the owner was exported: %d, %v", uid, err)
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, text := range []string{"=", "=ep", "cap_kill=eip 63+p"} {
		data, err := mustText(f, text).Export()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(append(data, 1))
		f.Add(data[:len(data)-1])
	}
	f.Add([]byte("\x90\xc2\x01\x51\x01\x01\x02\x03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := bytes.Clone(data)
		set, err := Import(data)
		if !bytes.Equal(kept, data) {
			t.Fatal("Import changed its argument")
		}
		if err != nil {
			if set != nil || err != ErrBadSize && err != ErrBadMagic {
				t.Fatalf("Import(%x) = %v, %v", data, set, err)
			}
			return
		}
		out, err := set.Export()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Import(out)
		if err != nil {
			t.Fatalf("%x became %x: %v", data, out, err)
		}
		wantEqual(t, set.String(), set, again)
		fromText, err := FromText(set.String())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, set.String(), set, fromText)
	})
}
