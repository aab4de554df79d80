module caprun/internal/test/conformance

go 1.26.0

replace caprun => ../../..

require (
	caprun v0.0.0-00010101000000-000000000000
	golang.org/x/sys v0.49.0
	kernel.org/pub/linux/libs/security/libcap/cap v1.2.78
)

require kernel.org/pub/linux/libs/security/libcap/psx v1.2.78 // indirect
