package observe

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Address families of linux/socket.h.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 10
)

var families = map[uint64]string{
	0: "AF_UNSPEC", familyUnix: "AF_UNIX", familyInet: "AF_INET", familyInet6: "AF_INET6",
	15: "AF_KEY", 16: "AF_NETLINK", 17: "AF_PACKET", 29: "AF_CAN", 31: "AF_BLUETOOTH", 38: "AF_ALG",
	40: "AF_VSOCK", 44: "AF_XDP",
}

var socketTypes = map[uint64]string{
	1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 4: "SOCK_RDM", 5: "SOCK_SEQPACKET", 10: "SOCK_PACKET",
}

func named(names map[uint64]string, value uint64, prefix string) string {
	if name, found := names[value]; found {
		return name
	}
	return prefix + strconv.Itoa(int(int32(value)))
}

// maxSocketAddress is the size of struct sockaddr_storage.
const maxSocketAddress = 128

// socketAddress reads a socket address, and returns it as in `0.0.0.0:80`, `[::]:80` or
// `"/run/socket"`, or only its family.
func (c callReader) socketAddress(address, size uint64, known bool) (string, bool) {
	size = uint64(uint32(size))
	if !known || address == 0 || size < 2 || size > maxSocketAddress {
		return "", false
	}
	b := make([]byte, size)
	if !c.read(c.pid, address, b) {
		return "", false
	}
	text := socketAddressText(b)
	return text, text != ""
}

// socketAddressText returns the text of a struct sockaddr of at least 2 bytes. It is empty
// for an unknown family, and for AF_UNSPEC: a program that has changed the memory since the
// call usually has cleared it.
func socketAddressText(b []byte) string {
	family := uint64(binary.NativeEndian.Uint16(b))
	switch {
	case family == familyInet && len(b) >= 8:
		ip := netip.AddrFrom4([4]byte(b[4:8]))
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:])).String()
	case family == familyInet6 && len(b) >= 24:
		ip := netip.AddrFrom16([16]byte(b[8:24]))
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:])).String()
	case family == familyUnix && len(b) > 2:
		path := b[2:]
		if path[0] == 0 { // abstract: the whole rest is the name
			return strconv.QuoteToASCII("@" + string(path[1:]))
		}
		path, _, _ = bytes.Cut(path, []byte{0})
		return strconv.QuoteToASCII(string(path))
	}
	if family == 0 {
		return ""
	}
	return families[family]
}
