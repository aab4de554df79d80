package review

import "flag"

// update has the tests write what they would compare with.
var update = flag.Bool("update", false, "write the expected files anew")
