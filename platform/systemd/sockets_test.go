package systemd

import (
	"fmt"
	"slices"
	"testing"

	"caprun/platform/declared"
)

// TestSockets: each Listen line of the sockets is a descriptor.
func TestSockets(t *testing.T) {
	for _, test := range []struct{ unit, service, name, socket, want string }{
		{"a", "", "a", "ListenStream=80\nListenDatagram=[::]:53\nListenFIFO=/x", "[3 4 5]"},
		{"a", "", "a", "ListenStream=80\nListenStream=\nListenStream=81", "[3]"},
		{"a@", "", "a", "ListenStream=80\nListenStream=81\nAccept=yes", "[3]"},
		{"a@x", "", "a", "ListenStream=80\nListenStream=81\nAccept=yes", "[3]"},
		{"a@x", "", "a@b", "ListenStream=80\nListenStream=81\nAccept=yes", "[3]"},
		{"a", "", "a", "ListenStream=80\nAccept=yes", "[]"},
		{"a@x", "", "b", "ListenStream=80\nAccept=yes", "[]"},
		{"a@x", "", "a", "ListenStream=80", "[]"},
		{"a@x", "", "a@", "ListenStream=80\nListenStream=81", "[3 4]"},
		{"a@x", "", "a@x", "ListenStream=80\nListenStream=81", "[3 4]"},
		{"a@", "", "a@x", "ListenStream=80\nListenStream=81", "[3 4]"},
		{"a@x", "", "a@y", "ListenStream=80", "[]"},
		{"a", "", "b", "ListenStream=80", "[]"},
		{"a", "", "a", "ListenStream=80\nAccept=yes\nAccept=no", "[3]"},
		{"a", "StandardInput=socket", "a", "ListenStream=80", "[]"},
		{"a", "", "a", "ListenStream=80\nService=other.service", "[]"},
		{"a", "Sockets=z.socket a.socket", "a", "ListenStream=80\nService=other.service", "[3]"},
		{"a", "Sockets=b.socket", "b", "ListenStream=80\nListenStream=81\nAccept=yes", "[3 4]"},
		{"a", "", "b", "ListenStream=80\nService=a.service", "[3]"},
	} {
		r := Read(file(test.unit+".service", "[Service]\nExecStart=/bin/x\nExecStop=/bin/y\n"+test.service), nil, []declared.File{file(test.name+".socket", "[Socket]\n"+test.socket)})
		p := r.Processes[0].Profile
		if got := fmt.Sprint(p.KeepFDs); got != test.want || (len(p.KeepFDs) > 0) != slices.Contains(p.Env.Keep, "LISTEN_PID") {
			t.Errorf("%v: %s %v", test, got, p.Env.Keep)
		}
		if r.Processes[1].Profile.KeepFDs != nil {
			t.Errorf("%q: ExecStop has descriptors", test.socket)
		}
	}
}

// TestSocketDropIns: a file in a directory such as web.socket.d is a drop-in of the socket.
func TestSocketDropIns(t *testing.T) {
	const etc = "/etc/systemd/system/"
	drop := func(name, lines string) declared.File { return file(etc+name, "[Socket]\n"+lines) }
	for _, test := range []struct {
		unit string
		list []declared.File
		want string
	}{
		{"a", []declared.File{drop("a.socket.d/x.conf", "ListenStream=82\nListenStream=83")}, "[3 4 5]"},
		{"a", []declared.File{drop("a.socket.d/20.conf", "ListenStream="), drop("a.socket.d/10.conf", "ListenStream=82\nListenStream=83")}, "[]"},
		{"a", []declared.File{drop("a.socket.d/x.conf", "ListenStream="), file("/lib/systemd/system/a.socket.d/x.conf", "[Socket]\nListenStream=82")}, "[]"},
		{"a", []declared.File{drop("a.socket.d/x.conf", "Accept=yes")}, "[]"},
		{"a", []declared.File{drop("b.socket.d/x.conf", "ListenStream=82")}, "[3]"},
		{"a", []declared.File{drop("b.socket.d/x.conf", ""), drop("a.socket.d/x.conf", "ListenStream=82"), file(etc+"b.socket", "[Socket]\nService=a.service\nListenStream=81")}, "[3 4 5]"},
		{"a", []declared.File{drop("socket.d/x.conf", "ListenStream=82")}, "[3 4]"},
		{"a-b", []declared.File{drop("a-.socket.d/x.conf", "ListenStream=82")}, "[3 4]"},
		{"a@b", []declared.File{drop("a@.socket.d/x.conf", "ListenStream=82")}, "[3 4]"},
		{"a@b", []declared.File{drop("a@c.socket.d/x.conf", "ListenStream=82")}, "[3]"},
	} {
		socket := file(etc+test.unit+".socket", "[Socket]\nListenStream=80")
		for range 2 {
			r := Read(file(test.unit+".service", "[Service]\nExecStart=/bin/x\n"), nil, append([]declared.File{socket}, test.list...))
			if got := fmt.Sprint(r.Processes[0].Profile.KeepFDs); got != test.want {
				t.Errorf("%v: %s, want %s", names(test.list), got, test.want)
			}
			slices.Reverse(test.list)
		}
	}
}
