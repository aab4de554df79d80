package launcher

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestConstants compares the numbers with those of x/sys/unix, which come from the header
// files of each architecture.
func TestConstants(t *testing.T) {
	for name, pair := range map[string][2]int64{
		"ePERM":                   {ePERM, int64(unix.EPERM)},
		"eNOENT":                  {eNOENT, int64(unix.ENOENT)},
		"eBADF":                   {eBADF, int64(unix.EBADF)},
		"eACCES":                  {eACCES, int64(unix.EACCES)},
		"eNOTDIR":                 {eNOTDIR, int64(unix.ENOTDIR)},
		"eINVAL":                  {eINVAL, int64(unix.EINVAL)},
		"eNOTTY":                  {eNOTTY, int64(unix.ENOTTY)},
		"eNXIO":                   {eNXIO, int64(unix.ENXIO)},
		"eNOSYS":                  {eNOSYS, int64(unix.ENOSYS)},
		"eNODATA":                 {eNODATA, int64(unix.ENODATA)},
		"eOPNOTSUPP":              {eOPNOTSUPP, int64(unix.EOPNOTSUPP)},
		"e2BIG":                   {e2BIG, int64(unix.E2BIG)},
		"eNOEXEC":                 {eNOEXEC, int64(unix.ENOEXEC)},
		"eLOOP":                   {eLOOP, int64(unix.ELOOP)},
		"eNAMETOOLONG":            {eNAMETOOLONG, int64(unix.ENAMETOOLONG)},
		"atFDCWD":                 {atFDCWD, unix.AT_FDCWD},
		"atEmptyPath":             {atEmptyPath, unix.AT_EMPTY_PATH},
		"linuxCapabilityVersion3": {linuxCapabilityVersion3, unix.LINUX_CAPABILITY_VERSION_3},
		"capSetgid":               {capSetgid, unix.CAP_SETGID},
		"capSetpcap":              {capSetpcap, unix.CAP_SETPCAP},
		"prSetPdeathsig":          {prSetPdeathsig, unix.PR_SET_PDEATHSIG},
		"prGetPdeathsig":          {prGetPdeathsig, unix.PR_GET_PDEATHSIG},
		"prSetKeepcaps":           {prSetKeepcaps, unix.PR_SET_KEEPCAPS},
		"prCapbsetRead":           {prCapbsetRead, unix.PR_CAPBSET_READ},
		"prCapbsetDrop":           {prCapbsetDrop, unix.PR_CAPBSET_DROP},
		"prGetSecurebits":         {prGetSecurebits, unix.PR_GET_SECUREBITS},
		"prSetSecurebits":         {prSetSecurebits, unix.PR_SET_SECUREBITS},
		"prSetNoNewPrivs":         {prSetNoNewPrivs, unix.PR_SET_NO_NEW_PRIVS},
		"prGetNoNewPrivs":         {prGetNoNewPrivs, unix.PR_GET_NO_NEW_PRIVS},
		"prCapAmbient":            {prCapAmbient, unix.PR_CAP_AMBIENT},
		"prCapAmbientIsSet":       {prCapAmbientIsSet, unix.PR_CAP_AMBIENT_IS_SET},
		"prCapAmbientRaise":       {prCapAmbientRaise, unix.PR_CAP_AMBIENT_RAISE},
		"prCapAmbientLower":       {prCapAmbientLower, unix.PR_CAP_AMBIENT_LOWER},
		"prCapAmbientClearAll":    {prCapAmbientClearAll, unix.PR_CAP_AMBIENT_CLEAR_ALL},
		"statxBasicStats":         {statxBasicStats, unix.STATX_BASIC_STATS},
		"stNosuid":                {stNosuid, unix.ST_NOSUID},
		"closeRangeCloexec":       {closeRangeCloexec, unix.CLOSE_RANGE_CLOEXEC},
		"fdCloexec":               {fdCloexec, unix.FD_CLOEXEC},
		"fDupfd":                  {fDupfd, unix.F_DUPFD},
		"fGetfd":                  {fGetfd, unix.F_GETFD},
		"fSetfd":                  {fSetfd, unix.F_SETFD},
		"oRDONLY":                 {oRDONLY, unix.O_RDONLY},
		"oRDWR":                   {oRDWR, unix.O_RDWR},
		"oNOCTTY":                 {oNOCTTY, unix.O_NOCTTY},
		"oNONBLOCK":               {oNONBLOCK, unix.O_NONBLOCK},
		"oCLOEXEC":                {oCLOEXEC, unix.O_CLOEXEC},
		"sIFMT":                   {sIFMT, unix.S_IFMT},
		"sIFCHR":                  {sIFCHR, unix.S_IFCHR},
		"sIFDIR":                  {sIFDIR, unix.S_IFDIR},
		"sIFREG":                  {sIFREG, unix.S_IFREG},
		"sISUID":                  {sISUID, unix.S_ISUID},
		"sISGIDExec":              {sISGIDExec, unix.S_ISGID | unix.S_IXGRP},
		"xOK":                     {xOK, unix.X_OK},
		"atEaccess":               {atEaccess, unix.AT_EACCESS},
		"protRead":                {protRead, unix.PROT_READ},
		"protWrite":               {protWrite, unix.PROT_WRITE},
		"mapPrivate":              {mapPrivate, unix.MAP_PRIVATE},
		"mapAnonymous":            {mapAnonymous, unix.MAP_ANONYMOUS},
		"tIOCNOTTY":               {tIOCNOTTY, unix.TIOCNOTTY},
		"procSuperMagic":          {procSuperMagic, unix.PROC_SUPER_MAGIC},
		"sIGHUP":                  {sIGHUP, int64(unix.SIGHUP)},
		"sIGPIPE":                 {sIGPIPE, int64(unix.SIGPIPE)},
		"sIGALRM":                 {sIGALRM, int64(unix.SIGALRM)},
		"sIGXFSZ":                 {sIGXFSZ, int64(unix.SIGXFSZ)},
		"sIGTTOU":                 {sIGTTOU, int64(unix.SIGTTOU)},
		"sigBlock":                {sigBlock, unix.SIG_BLOCK},
		"sigUnblock":              {sigUnblock, unix.SIG_UNBLOCK},
		"sigSetmask":              {sigSetmask, unix.SIG_SETMASK},
		"keyctlGetKeyringID":      {keyctlGetKeyringID, unix.KEYCTL_GET_KEYRING_ID},
		"keyctlJoinSession":       {keyctlJoinSession, unix.KEYCTL_JOIN_SESSION_KEYRING},
		"keyctlRead":              {keyctlRead, unix.KEYCTL_READ},
		"keySpecSession":          {keySpecSession, unix.KEY_SPEC_SESSION_KEYRING},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %#x, not %#x", name, pair[0], pair[1])
		}
	}
	var st unix.Statx_t
	var fs unix.Statfs_t
	for name, pair := range map[string][2]uintptr{
		"statxMask":     {statxMask, unsafe.Offsetof(st.Mask)},
		"statxUID":      {statxUID, unsafe.Offsetof(st.Uid)},
		"statxGID":      {statxGID, unsafe.Offsetof(st.Gid)},
		"statxMode":     {statxMode, unsafe.Offsetof(st.Mode)},
		"statxIno":      {statxIno, unsafe.Offsetof(st.Ino)},
		"statxCtimeSec": {statxCtimeSec, unsafe.Offsetof(st.Ctime)},
		"statxRdevMaj":  {statxRdevMaj, unsafe.Offsetof(st.Rdev_major)},
		"statxRdevMin":  {statxRdevMin, unsafe.Offsetof(st.Rdev_minor)},
		"statxDevMaj":   {statxDevMaj, unsafe.Offsetof(st.Dev_major)},
		"statxSize":     {statxSize, unsafe.Sizeof(st)},
		"statfsType":    {statfsType, unsafe.Offsetof(fs.Type)},
		"statfsFlags":   {statfsFlags, unsafe.Offsetof(fs.Flags)},
		"statfsSize":    {statfsSize, unsafe.Sizeof(fs)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, not %d", name, pair[0], pair[1])
		}
	}
}
