module caprun/internal/test/yamlnext

go 1.26.0

replace caprun => ../../..

require (
	caprun v0.0.0-00010101000000-000000000000
	go.yaml.in/yaml/v3 v3.0.6
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/santhosh-tekuri/jsonschema/v5 v5.3.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
