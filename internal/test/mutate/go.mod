module caprun/internal/test/mutate

go 1.26.0

replace caprun => ../../..

require caprun v0.0.0-00010101000000-000000000000
