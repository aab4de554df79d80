package review_test

import (
	"fmt"
	"time"

	"caprun/engine/review"
)

// Check reports the mistakes and risks of a profile. Human and the other printers
// print complete reports.
func ExampleCheck() {
	const text = `version: 1
command: [/usr/bin/server]
uid: 33
gid: 33
caps: cap_sys_admin=eip
`
	report := review.Check("web.yaml", []byte(text), review.Options{Today: time.Now()})
	for _, f := range report.Findings {
		fmt.Println(f.File, f.Position, f.Severity, f.Rule, f.Caps)
	}

	// Output:
	// web.yaml 1:10 info environment-passed none
	// web.yaml 1:10 warning no-new-privs-missing none
	// web.yaml 5:7 warning amounts-to-root cap_sys_admin
}
