package sim

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// replay is the command that runs a seed again; the last line of every failure.
func replay(o Options) string {
	minutes := strconv.FormatFloat(o.Virtual.Minutes(), 'f', -1, 64)
	text := fmt.Sprintf("go run ./cmd/barnabas sim run --seed %d --minutes %s --profile %s", o.Seed, minutes, o.Profile)
	if o.Brokers > 0 {
		text += fmt.Sprintf(" --brokers %d", o.Brokers)
	}
	return text
}

// mustBeClean fails the test with every violation and the command that replays it.
func mustBeClean(t *testing.T, o Options) Result {
	t.Helper()
	r := Run(o)
	for _, v := range r.Violations {
		t.Errorf("seed %d at %v: %s: %s", o.Seed, time.Duration(v.At), v.Invariant, v.Detail)
	}
	if len(r.Violations) > 0 {
		t.Fatal(replay(o))
	}
	return r
}

// The campaign is small here; CI and `just swarm` run larger ones.
func TestSwarmIsClean(t *testing.T) {
	for _, profile := range []string{"swarm", "single", "replicas", "full"} {
		t.Run(profile, func(t *testing.T) {
			var acked uint64
			for seed := range uint64(6) {
				acked += mustBeClean(t, Options{Seed: 9000 + seed, Virtual: 20 * time.Second, Profile: profile}).Acked
			}
			if acked < 500 {
				t.Fatalf("only %d batches were acknowledged: the clients do not work", acked)
			}
		})
	}
}

// A run without faults must not only be clean, it must do what it was asked: this is what speed is measured with.
func TestSpeedProfileReachesItsLoad(t *testing.T) {
	r := mustBeClean(t, Options{Seed: 1, Virtual: time.Minute, Profile: "speed", Brokers: 1, Clients: 8})
	if perSecond := float64(r.Acked) / 60; perSecond < 20 {
		t.Fatalf("%.1f acknowledged operations a virtual second, want at least 20", perSecond)
	}
	for _, f := range r.Faults {
		if f.Kind != "D11" { // completions always come in any order
			t.Errorf("fault %s in a run without faults", f.Kind)
		}
	}
}

// Every kind of fault this simulator has must take effect in a small campaign, or it tests less than it says.
func TestEveryFaultTakesEffect(t *testing.T) {
	missing := map[string]bool{
		"N1": true, "N2": true, "N8": true, "D1": true, "D2": true, "D3": true, "D11": true, "P1": true, "P2": true, "P3": true,
		"P5": true, "T1": true, "C2": true, "DeleteRecords": true,
		"D4": true, "D5": true, "D6": true, "D7": true, "D8": true, "D9": true, "D10": true, "D13": true,
	}
	for seed := uint64(500); seed < 650 && len(missing) > 0; seed++ {
		// Whether the seeds are clean is for other tests.
		for _, f := range Run(Options{Seed: seed, Virtual: 20 * time.Second, Profile: "swarm"}).Faults {
			delete(missing, f.Kind)
		}
	}
	for kind := range missing {
		t.Errorf("fault %s never took effect", kind)
	}
}

func TestOneSeedHasOneDigest(t *testing.T) {
	for _, profile := range []string{"single", "replicas"} {
		for seed := range uint64(3) {
			o := Options{Seed: 70 + seed, Virtual: 10 * time.Second, Profile: profile, Twice: true}
			r := mustBeClean(t, o)
			if other := Run(Options{Seed: 700 + seed, Virtual: o.Virtual, Profile: profile}); other.Digest == r.Digest {
				t.Errorf("seeds %d and %d have the same digest: it does not look at much", o.Seed, 700+seed)
			}
		}
	}
}

// Turning the ledger off changes what is judged and nothing that happens.
func TestTheLedgerOnlyLooks(t *testing.T) {
	for _, profile := range []string{"single", "replicas"} {
		o := Options{Seed: 77, Virtual: 10 * time.Second, Profile: profile}
		with := mustBeClean(t, o)
		o.LedgerOff = true
		if without := mustBeClean(t, o); without.Digest != with.Digest {
			t.Errorf("%s: digest %016x with the ledger, %016x without", profile, with.Digest, without.Digest)
		}
	}
}

// digestVariable asks the test binary to print the digest of a seed instead of testing.
const digestVariable = "BARNABAS_TEST_DIGEST_OF_SEED"

func TestMain(m *testing.M) {
	if text := os.Getenv(digestVariable); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%016x\n", Run(Options{Seed: seed, Virtual: 10 * time.Second, Profile: "swarm"}).Digest)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Hash seeds, addresses and the scheduler differ between processes; nothing in a run may depend on them.
func TestDigestsAgreeAcrossProcesses(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(31); seed < 35; seed++ {
		want := fmt.Sprintf("%016x", Run(Options{Seed: seed, Virtual: 10 * time.Second, Profile: "swarm"}).Digest)
		for _, settings := range [][]string{
			{"GOMAXPROCS=1", "GOGC=20"}, {"GOMAXPROCS=2", "GOGC=off"},
		} {
			command := exec.Command(binary)
			command.Env = append(append(os.Environ(), settings...), digestVariable+"="+strconv.FormatUint(seed, 10))
			got, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(string(got)) != want {
				t.Errorf("seed %d: digest %s in a process with %v, %s here", seed, strings.TrimSpace(string(got)), settings, want)
			}
		}
	}
}

// The determinism check must itself be able to fail.
func TestPlantedNondeterminismIsNoticed(t *testing.T) {
	for _, name := range Plants() {
		r := Run(Options{Seed: 5, Virtual: 2 * time.Second, Profile: "single", Twice: true, Plant: name})
		noticed := false
		for _, v := range r.Violations {
			noticed = noticed || v.Invariant == "DigestMismatch"
		}
		if !noticed {
			t.Errorf("%s was not noticed", name)
		}
	}
}

// A world that is over leaves nothing behind: parked tasks would keep all of it in memory.
func TestWorldsLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for seed := range uint64(8) {
		Run(Options{Seed: 40 + seed, Virtual: 5 * time.Second, Profile: "swarm"})
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Fatalf("%d goroutines before, %d after: a world was not ended", before, after)
	}
}
