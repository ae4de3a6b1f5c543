# List the verbs.
default:
    @just --list --unsorted

# Build, lint and test: run it often.
check: lint test
    .ci/run build

# Run all Go tests.
test:
    go test ./...

# Check format, vet and staticcheck, with and without the museum's mutants.
lint:
    .ci/run format vet staticcheck

# Format what is written by hand.
fmt:
    go run mvdan.cc/gofumpt@v0.12.0 -w .

# Write generated code anew.
generate:
    go generate ./...

# Run all that continuous integration runs, before a commit.
ready:
    .ci/run
