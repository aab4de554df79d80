module caprun/internal/test/editors

go 1.26.0
