package main

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"caprun/cap"
)

// processCalls change the process, and print its state.
func processCalls() []call {
	var list []call
	add := func(name string, do func()) { list = append(list, call{name: name, do: func() { do(); state() }}) }
	var none *cap.Set
	var noTuple *cap.IAB
	tuple := func(text string) *cap.IAB { t, err := cap.IABFromText(text); check(err); return t }

	add("GetProc", func() { show(cap.GetProc()); show(cap.IABGetProc()) })
	add("GetPID", func() {
		for _, pid := range []int{0, os.Getpid(), -1, 1 << 30} {
			show(cap.GetPID(pid))
		}
	})
	add("GetPID of more than 32 bits", func() { show(cap.GetPID(1 << 32)) })
	add("Set.SetProc", func() { show(none.SetProc()); show(new(cap.Set).SetProc()); show(cap.NewSet().SetProc()) })
	for _, text := range []string{"=", "cap_kill=p", "cap_kill=ep", "cap_kill=eip", "all=p", "all=i", "cap_setpcap=p cap_kill+i", "cap_sys_resource=p"} {
		add("Set.SetProc "+text, func() {
			c, err := cap.FromText(text)
			check(err)
			show(c.SetProc())
		})
	}
	add("Set.SetProc of all", func() {
		c, err := cap.FromText("all=eip")
		check(err)
		show(c.SetProc())
	})
	for _, uid := range []int{0, 1000, -1, 1<<32 - 1} {
		add("SetUID "+itoa(uid), func() { show(cap.SetUID(uid)) })
		add("SetGroups "+itoa(uid), func() { show(cap.SetGroups(uid)) })
	}
	add("SetUID of more than 32 bits", func() { show(cap.SetUID(1<<32 + 1000)) })
	add("SetUID -2", func() { show(cap.SetUID(-2)) })
	add("SetGroups -2", func() { show(cap.SetGroups(-2)) })
	add("SetGroups with groups", func() { show(cap.SetGroups(5, 7, 6, 6)) })
	add("SetGroups with group -1", func() { show(cap.SetGroups(5, 7, -1)) })
	add("SetGroups of too many", func() { show(cap.SetGroups(5, make([]int, 70000)...)) })
	for mode := range cap.Mode(6) {
		add("Mode.Set "+itoa(int(mode)), func() { show(mode.Set()) })
	}
	add("Mode.Set 99", func() { show(cap.Mode(99).Set()) })
	for _, bits := range []cap.Secbits{0, 1, 0x2f, 0xef, 1 << 20} {
		add("Secbits.Set "+itoa(int(bits)), func() { show(bits.Set()) })
	}
	for _, text := range []string{"", "cap_kill", "^cap_kill", "!cap_chown", "!%cap_chown", "!^cap_chown", "^cap_kill,!cap_setpcap", "cap_sys_resource"} {
		add("IAB.SetProc "+text, func() { show(tuple(text).SetProc()) })
	}
	add("IAB.SetProc of none", func() { show(noTuple.SetProc()); show(new(cap.IAB).SetProc()) })
	add("IAB.SetProc of 63", func() { show(tuple("63").SetProc()) })
	add("IAB.SetProc blocking 63", func() { show(tuple("!63").SetProc()) })
	add("GetBound", func() {
		for _, v := range []cap.Value{0, 40, 41, 63, 64, 1000} {
			show(cap.GetBound(v))
			show(cap.GetAmbient(v))
		}
	})
	add("DropBound", func() { show(cap.DropBound()); show(cap.DropBound(cap.KILL, 63, cap.CHOWN)) })
	add("SetAmbient", func() {
		show(cap.SetAmbient(true))
		show(cap.SetAmbient(false, cap.KILL))
		show(cap.SetAmbient(true, cap.KILL, cap.CHOWN))
		show(cap.SetAmbient(true, 63))
	})
	add("ResetAmbient", func() { show(cap.ResetAmbient()); cap.SetAmbient(true, cap.KILL); show(cap.ResetAmbient()) })
	add("Prctl", func() {
		runtime.LockOSThread()
		show(cap.Prctl(38, 1))
		show(cap.Prctl(9999))
		show(cap.Prctl(39, 0, 0, 0, 0))
		show(cap.Prctl(1, 2, 3, 4, 5, 6))
		show(cap.Prctl(1, 2, 3, 4, 5, 6, 7))
	})
	add("Prctlw", func() {
		show(cap.Prctlw(38, 1))
		show(cap.Prctlw(9999))
		show(cap.Prctlw(1, 2, 3, 4, 5, 6, 7))
	})
	add("Prctl with a pointer", func() {
		for depth := range 400 {
			arrived := make(chan bool)
			go func() { arrived <- deep(depth, true) && deep(depth, false) }()
			if !<-arrived {
				show("lost")
			}
		}
	})
	add("bounding set unreadable", func() {
		unreadable()
		show(cap.MaxBits(), cap.GetProc(), cap.GetMode())
		show(cap.GetBound(cap.KILL))
		show(cap.NewIAB().SetProc())
		show(tuple("cap_chown").SetProc())
		show(cap.IABGetProc())
	})
	add("bounding set unreadable, to be lowered", func() { unreadable(); show(tuple("!cap_kill").SetProc()) })
	return list
}

// deep passes a pointer to a variable to the kernel, from many calls deep.
//
//go:noinline
func deep(depth int, all bool) bool {
	if depth > 0 {
		return deep(depth-1, all)
	}
	signal := int32(-1)
	if all {
		cap.Prctlw(2, uintptr(unsafe.Pointer(&signal))) // PR_GET_PDEATHSIG
	} else {
		cap.Prctl(2, uintptr(unsafe.Pointer(&signal)))
	}
	return signal == 0
}

// unreadable installs a seccomp filter that refuses PR_CAPBSET_READ on every thread.
func unreadable() {
	type instruction struct {
		code   uint16
		jt, jf uint8
		k      uint32
	}
	filter := []instruction{
		{0x20, 0, 0, 0}, {0x15, 0, 3, uint32(syscall.SYS_PRCTL)}, {0x20, 0, 0, 16}, {0x15, 0, 1, 23},
		{0x06, 0, 0, 0x00050001}, {0x06, 0, 0, 0x7fff0000},
	}
	program := struct {
		n uint16
		p *instruction
	}{uint16(len(filter)), &filter[0]}
	runtime.LockOSThread()
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, 38, 1, 0, 0, 0, 0)
	if errno == 0 {
		// PR_SET_SECCOMP is for this thread only, which remains.
		_, _, errno = syscall.RawSyscall6(syscall.SYS_PRCTL, 22, 2, uintptr(unsafe.Pointer(&program)), 0, 0, 0)
	}
	if errno != 0 {
		check(errno)
	}
}
