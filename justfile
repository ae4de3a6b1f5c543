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

# Simulate one seed, and say what it found.
sim SEED='1':
    go run ./cmd/barnabas sim run --seed {{SEED}}

# Simulate many seeds, half of them with a replicated partition.
swarm N='1000':
    go build -o barnabas ./cmd/barnabas
    ./barnabas sim run --profile swarm --brokers 1 --seeds {{N}} --jobs 2 --keep-going
    ./barnabas sim run --profile replicas --seeds {{N}} --jobs 2 --keep-going

# Measure a broker of its own with the load of `barnabas bench`, on a disk (FOLDER) that should do nothing else.
bench FOLDER='bench-data' *FLAGS='':
    #!/usr/bin/env bash
    set -euo pipefail
    work=$(mktemp -d)
    trap 'kill "${broker:-}" 2>/dev/null || true; wait; rm -rf "$work" {{FOLDER}}' EXIT
    [[ ! -e {{FOLDER}} ]] || { echo "{{FOLDER}} is there already: name a folder that may be made and removed"; exit 2; }
    go build -o "$work/barnabas" ./cmd/barnabas
    "$work/barnabas" start --listen localhost:0 --data {{FOLDER}} --ready-file "$work/ready" & broker=$!
    until [[ -s $work/ready ]]; do kill -0 "$broker"; sleep 0.05; done
    export BARNABAS_BOOTSTRAP_SERVER=$(head -n 1 "$work/ready")
    for mode in produce e2e consume; do "$work/barnabas" bench "$mode" --server-pid "$broker" {{FLAGS}}; done
    "$work/barnabas" bench produce --outstanding 1 --linger 0s --partitions 1 --server-pid "$broker" {{FLAGS}}

# Kill the real broker under load, so many times.
kill-loop ROUNDS='200':
    go test ./cmd/barnabas -run '^TestRealKill$' -count=1 -v -timeout 1h -kill.rounds {{ROUNDS}}

# Cut the power of the real broker's disk under load, so many times; then have a broker with a bug lose something (root).
power-cut CUTS='50':
    go test ./cmd/barnabas -run '^TestPowerCut$' -count=1 -v -timeout 2h -power.cuts {{CUTS}}
    go test -tags mutants ./cmd/barnabas -run '^TestPowerCut$' -count=1 -v -timeout 2h -power.cuts {{CUTS}} -power.mutant ack-before-sync

# Send the real broker the hostile corpus, and measure what its heaviest requests cost, alone on the machine (Linux).
hostile:
    go test ./cmd/barnabas -run '^TestRealCorpus$' -count=1 -v -timeout 30m -hostile.all
    go test ./cmd/barnabas -run '^TestRealHostileFigures$' -count=1 -v -timeout 30m -hostile.figures

# How many events a core-second the simulator does.
sim-speed:
    go build -o barnabas ./cmd/barnabas
    GOMAXPROCS=1 ./barnabas sim run --profile speed --brokers 1 --clients 8 --minutes 10

# The simulator at the reference load (rule O6), on one core: 5 brokers, then 3 and 1; and where the time goes with 5.
sim-reference MINUTES='10':
    go build -o barnabas ./cmd/barnabas
    for n in 5 3 1; do GOMAXPROCS=1 ./barnabas sim run --profile reference --brokers $n --minutes {{MINUTES}}; done
    go test ./sim -run '^$' -bench Reference -benchtime 1x -cpuprofile sim.profile -o sim.test
    go tool pprof -top -nodecount 40 sim.test sim.profile

# Shrink what ten mutants or more do in the swarm, five minutes each at most, and say how small it became.
shrink-figures BUDGET='5m':
    go build -tags mutants -o barnabas ./cmd/barnabas
    .ci/shrink-figures {{BUDGET}}

# Make the regression plan of a mutant anew.
regression MUTANT FIRST='50001':
    go build -tags mutants -o barnabas ./cmd/barnabas
    rm -rf regression.tmp
    -./barnabas sim run --mutant {{MUTANT}} --seeds 200 --first-seed {{FIRST}} --save regression.tmp
    ./barnabas sim shrink regression.tmp/*.plan --out sim/testdata/regressions/{{MUTANT}}.plan
    rm -rf regression.tmp

# What the heap gives for a produce request, and how many commits one needs, in a running broker.
requests FOLDER='requests-data':
    go build -o barnabas ./cmd/barnabas
    .ci/requests ./barnabas {{FOLDER}}

# How many operations of a history a second are judged, and read.
checker-speed:
    go test ./linearizability -run '^$' -bench . -benchtime 5x

# Measure time to ready, bytes written, and commit latency on this machine, which should do nothing else.
figures FOLDER='':
    go test ./cmd/barnabas -run '^TestRealFigures$' -count=1 -v -timeout 1h -figures -figures.folder '{{FOLDER}}'

# Crash small worlds of the storage everywhere, in every way: at least 100,000 states.
explore:
    go test ./core/storage -run '^TestEveryCrashOfASmallWorldRecovers$' -count=1 -v -timeout 30m -explore.seeds 5

# Fail every disk operation of a log directory in every way.
sweep:
    go test ./core/storage -run '^TestEveryOperationFails$' -count=1 -v -timeout 1h -sweep.sites 0

# Take a folder from Apache Kafka, give it back, and take it again (needs Java).
kafka-and-back FOLDER:
    .ci/kafka/make-folder {{FOLDER}}
    .ci/kafka/kafka-and-back {{FOLDER}}

# Write anew what Apache Kafka makes of its messages, for the tests of core/protocol (needs a JDK).
kafka-messages:
    .ci/kafka/messages

# Measure this broker and Apache Kafka with the same load, alternately, on a disk (FOLDER) that does nothing else (needs Java).
compare FOLDER='compare-data' ROUNDS='5':
    .ci/kafka/compare {{FOLDER}} {{ROUNDS}}
