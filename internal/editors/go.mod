module caprun/internal/editors

go 1.26.0
