package schema

import _ "embed"

// The schemas of the JSON output of the commands. Nothing parses them: the command prints
// them, and the tests compare them with the types and with real output.
var (
	//go:embed check.schema.json
	checkOutput string
	//go:embed diff.schema.json
	diffOutput string
	//go:embed explain.schema.json
	explainOutput string
	//go:embed learn.schema.json
	learnOutput string
	//go:embed report.schema.json
	reportOutput string
	//go:embed rules.schema.json
	rulesOutput string
	//go:embed show.schema.json
	showOutput string
	//go:embed verify.schema.json
	verifyOutput string
	//go:embed version.schema.json
	versionOutput string
)

// Names returns the names of all schemas, sorted: "profile", and the names of the commands
// with JSON output that caprun defines, such as "check".
func Names() []string {
	return []string{"check", "diff", "explain", "learn", "profile", "report", "rules", "show", "verify", "version"}
}

// Named returns a schema as published, and false for a name that [Names] does not have.
// The caller may change the bytes.
func Named(name string) ([]byte, bool) {
	text := ""
	switch name {
	case "check":
		text = checkOutput
	case "diff":
		text = diffOutput
	case "explain":
		text = explainOutput
	case "learn":
		text = learnOutput
	case "profile":
		text = published
	case "report":
		text = reportOutput
	case "rules":
		text = rulesOutput
	case "show":
		text = showOutput
	case "verify":
		text = verifyOutput
	case "version":
		text = versionOutput
	default:
		return nil, false
	}
	return []byte(text), true
}
