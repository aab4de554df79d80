package launcher

// Numbers of the kernel that are the same on both machines. The names are those of the
// header files. A test compares them with x/sys/unix.
const (
	maxErrno = 4095

	ePERM        = 1
	eNOENT       = 2
	eBADF        = 9
	eACCES       = 13
	eNOTDIR      = 20
	eINVAL       = 22
	eNOTTY       = 25
	eNXIO        = 6
	eNOSYS       = 38
	eNODATA      = 61
	eOPNOTSUPP   = 95
	e2BIG        = 7
	eNOEXEC      = 8
	eLOOP        = 40
	eNAMETOOLONG = 36

	atNull      = 0
	atSecure    = 23
	atFDCWD     = -100
	atEmptyPath = 0x1000

	linuxCapabilityVersion3 = 0x20080522
	capSetgid               = 6
	capSetpcap              = 8

	prSetPdeathsig       = 1
	prGetPdeathsig       = 2
	prSetKeepcaps        = 8
	prCapbsetRead        = 23
	prCapbsetDrop        = 24
	prGetSecurebits      = 27
	prSetSecurebits      = 28
	prSetNoNewPrivs      = 38
	prGetNoNewPrivs      = 39
	prCapAmbient         = 47
	prCapAmbientIsSet    = 1
	prCapAmbientRaise    = 2
	prCapAmbientLower    = 3
	prCapAmbientClearAll = 4

	statxBasicStats    = 0x7ff
	stNosuid           = 2
	closeRangeCloexec  = 4
	fdCloexec          = 1
	fDupfd             = 0
	fGetfd             = 1
	fSetfd             = 2
	oRDONLY            = 0
	oRDWR              = 2
	oNOCTTY            = 0o400
	oNONBLOCK          = 0o4000
	oCLOEXEC           = 0o2000000
	sIFMT              = 0o170000
	sIFCHR             = 0o020000
	sIFDIR             = 0o040000
	sIFREG             = 0o100000
	sISUID             = 0o4000
	sISGIDExec         = 0o2010 // S_ISGID and S_IXGRP
	xOK                = 1
	atEaccess          = 0x200
	protRead           = 1
	protWrite          = 2
	mapPrivate         = 2
	mapAnonymous       = 0x20
	tIOCNOTTY          = 0x5422
	tIOCGSID           = 0x5429
	procSuperMagic     = 0x9fa0
	sIGHUP             = 1
	sIGPIPE            = 13
	sIGALRM            = 14
	sIGTTOU            = 22
	sIGXFSZ            = 25
	sIGIGN             = 1
	saRestorer         = 0x04000000
	sigBlock           = 0
	sigUnblock         = 1
	sigSetmask         = 2
	sigsetSize         = 8
	itimerReal         = 0
	keyctlGetKeyringID = 0
	keyctlJoinSession  = 1
	keyctlRead         = 11
	keySpecSession     = -3
)

// Offsets in struct statx, see statx(2), and its size.
const (
	statxMask     = 0
	statxUID      = 20
	statxGID      = 24
	statxMode     = 28
	statxIno      = 32
	statxCtimeSec = 96
	statxCtimeNs  = 104
	statxRdevMaj  = 128
	statxRdevMin  = 132
	statxDevMaj   = 136 // 4 bytes; the minor number follows
	statxSize     = 256
)

// Offsets in struct statfs of the machines that op supports.
const (
	statfsType  = 0
	statfsFlags = 80
	statfsSize  = 120
)
