// Package fuzz holds fuzz targets that span rooms. Targets of one package stand beside its code (core/protocol).
//
// Every target runs its corpus in `go test`; `go test -fuzz NAME ./fuzz` looks for more.
package fuzz
