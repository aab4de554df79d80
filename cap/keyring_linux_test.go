package cap

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// keyringRoles are the roles of TestNewKeyring: the launch, its target, and a user whose
// quota of keys is used up.
var keyringRoles = reexec.Roles{
	"keyring-launch": keyringLaunch,
	"keyring-target": keyringTarget,
	"keyring-quota":  keyringQuota,
}

const keyringUID = 3399

// addKey adds a key to the session keyring.
func addKey(name string) error {
	_, err := unix.AddKey("user", name, []byte("secret"), unix.KEY_SPEC_SESSION_KEYRING)
	return err
}

// joinWithKey gives the calling thread a session keyring with one key.
func joinWithKey(name string) (keyring int, err error) {
	runtime.LockOSThread()
	if keyring, err = keyctl(unix.KEYCTL_JOIN_SESSION_KEYRING, 0); err != nil {
		return 0, err
	}
	return keyring, addKey(name)
}

const callersKey = "caprun:caller"

// keyringFilters are filters under which the launch is tried.
var keyringFilters = map[string][]answer{
	"all calls refused":             {{call: unix.SYS_KEYCTL, errno: unix.EPERM}, {call: unix.SYS_ADD_KEY, errno: unix.EPERM}, {call: unix.SYS_REQUEST_KEY, errno: unix.EPERM}},
	"no keys in the kernel":         {{call: unix.SYS_KEYCTL, errno: unix.ENOSYS}, {call: unix.SYS_ADD_KEY, errno: unix.ENOSYS}, {call: unix.SYS_REQUEST_KEY, errno: unix.ENOSYS}},
	"keyctl refused":                {{call: unix.SYS_KEYCTL, errno: unix.EPERM}},
	"keyctl and add_key refused":    {{call: unix.SYS_KEYCTL, errno: unix.EPERM}, {call: unix.SYS_ADD_KEY, errno: unix.EPERM}},
	"the join refused":              {{call: unix.SYS_KEYCTL, errno: unix.EPERM, args: []uint32{unix.KEYCTL_JOIN_SESSION_KEYRING}}},
	"the join without effect":       {{call: unix.SYS_KEYCTL, args: []uint32{unix.KEYCTL_JOIN_SESSION_KEYRING}}},
	"the serial number not told":    {{call: unix.SYS_KEYCTL, args: []uint32{unix.KEYCTL_GET_KEYRING_ID}}},
	"the keyring not readable":      {{call: unix.SYS_KEYCTL, errno: unix.EACCES, args: []uint32{unix.KEYCTL_READ}}},
	"all refused but keyctl's read": {{call: unix.SYS_KEYCTL, errno: unix.EPERM, args: []uint32{unix.KEYCTL_JOIN_SESSION_KEYRING}}, {call: unix.SYS_ADD_KEY, errno: unix.EPERM}, {call: unix.SYS_REQUEST_KEY, errno: unix.EPERM}},
}

// refuseOperations refuses every call that reaches a key but one operation of
// keyctl(2), operation by operation.
func refuseOperations(but uint32) []answer {
	list := []answer{{call: unix.SYS_ADD_KEY, errno: unix.EPERM}, {call: unix.SYS_REQUEST_KEY, errno: unix.EPERM}}
	for op := range uint32(lastKeyOperation + 1) {
		if op != but {
			list = append(list, answer{call: unix.SYS_KEYCTL, errno: unix.EPERM, args: []uint32{op}})
		}
	}
	return list
}

func init() {
	const move = 30
	keyringFilters["all refused but keyctl's move"] = refuseOperations(move)
	keyringFilters["each operation refused"] = refuseOperations(lastKeyOperation + 1)
}

func keyringLaunch() {
	keyring, err := joinWithKey(callersKey)
	if err != nil {
		fmt.Println("join:", err)
		return
	}
	l := NewLauncher("/proc/self/exe", []string{"target"}, append(os.Environ(), fmt.Sprintf("KEYRING=%d", keyring), "CAPRUN_TEST_CHILD=keyring-target"))
	if os.Getenv("NEW") != "" {
		l.SetNewKeyring()
	}
	if os.Getuid() == 0 {
		l.SetUID(keyringUID)
		l.SetGroups(keyringUID, nil)
	}
	for _, a := range keyringFilters[os.Getenv("FILTER")] {
		if err := a.install(false); err != nil {
			fmt.Println("filter:", err)
			return
		}
	}
	fmt.Println("refused:", l.Exec())
}

// keyringTarget prints which keys of the caller it can reach.
func keyringTarget() {
	session := unix.KEY_SPEC_SESSION_KEYRING
	_, err := unix.KeyctlSearch(session, "user", callersKey, 0)
	fmt.Println("caller's key:", found(err))
	now, err := keyctl(unix.KEYCTL_GET_KEYRING_ID, session)
	fmt.Println("same keyring:", err == nil && fmt.Sprint(now) == os.Getenv("KEYRING"))
	fmt.Println("own key:", found(addKey("caprun:target")))
}

func found(err error) string {
	if err != nil {
		return err.Error()
	}
	return "found"
}

// keyringQuota creates keys until the quota is used up, and exits when its input ends.
func keyringQuota() {
	runtime.LockOSThread()
	if err := errors.Join(thisThread.setgids(keyringUID), thisThread.setuids(keyringUID)); err != nil {
		fmt.Println(err)
		return
	}
	_, err := keyctl(unix.KEYCTL_JOIN_SESSION_KEYRING, 0)
	for n := 0; err == nil && n < 10_000; n++ {
		err = addKey(fmt.Sprint("caprun:", n))
	}
	fmt.Println(found(err))
	bufio.NewReader(os.Stdin).ReadByte()
}

func runKeyring(t *testing.T, env ...string) string {
	t.Helper()
	r := reexec.Run(t, "keyring-launch", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, env...) })
	if strings.HasPrefix(r.Stdout, "join:") {
		requires.Skip(t, "a session keyring: "+r.Stdout)
	}
	return r.Stdout + r.Stderr
}

func TestNewKeyring(t *testing.T) {
	const inherited = "caller's key: found\nsame keyring: true\nown key: found\n"
	const own = "caller's key: required key not available\nsame keyring: false\nown key: found\n"
	const filtered = "caller's key: operation not permitted\nsame keyring: false\nown key: operation not permitted\n"
	const none = "caller's key: function not implemented\nsame keyring: false\nown key: function not implemented\n"
	const refused = "refused: replace the session keyring: keyctl "
	for _, c := range []struct{ name, new, filter, want string }{
		{"inherited", "", "", inherited},
		{"new", "1", "", own},
		{"all calls refused", "1", "all calls refused", filtered},
		{"no keys in the kernel", "1", "no keys in the kernel", none},
		{"keyctl refused", "1", "keyctl refused", refused + "KEYCTL_JOIN_SESSION_KEYRING: operation not permitted\n"},
		{"keyctl and add_key refused", "1", "keyctl and add_key refused", refused + "KEYCTL_JOIN_SESSION_KEYRING: operation not permitted\n"},
		{"the join refused", "1", "the join refused", refused + "KEYCTL_JOIN_SESSION_KEYRING: operation not permitted\n"},
		{"all refused but keyctl's read", "1", "all refused but keyctl's read", refused + "KEYCTL_JOIN_SESSION_KEYRING: operation not permitted\n"},
		{"all refused but keyctl's move", "1", "all refused but keyctl's move", refused + "KEYCTL_JOIN_SESSION_KEYRING: operation not permitted\n"},
		{"each operation refused", "1", "each operation refused", refused + "KEYCTL_JOIN_SESSION_KEYRING: operation not permitted\n"},
		{"the join without effect", "1", "the join without effect", refused + "KEYCTL_JOIN_SESSION_KEYRING: it had no effect\n"},
		{"the serial number not told", "1", "the serial number not told", refused + "KEYCTL_GET_KEYRING_ID: the session keyring is 0, not "},
		{"the keyring not readable", "1", "the keyring not readable", refused + "KEYCTL_READ: permission denied\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := runKeyring(t, "NEW="+c.new, "FILTER="+c.filter); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestNewKeyringQuota launches a target whose user cannot create more keys.
func TestNewKeyringQuota(t *testing.T) {
	requires.Root(t)
	cmd := reexec.Command("keyring-quota")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); cmd.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if want := syscall.EDQUOT.Error() + "\n"; err != nil || line != want {
		t.Fatalf("the quota: got %q (%v), want %q", line, err, want)
	}
	got := runKeyring(t, "NEW=1")
	if want := "caller's key: required key not available\nsame keyring: false\nown key: disk quota exceeded\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
