module barnabas

go 1.26
