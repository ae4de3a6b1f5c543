package plan

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"barnabas/core/env"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// anyPlan draws a plan that may be run, or not: it is only written and read.
func anyPlan(t *rapid.T) *Plan {
	name := rapid.StringMatching(`[a-z][a-z0-9.-]{0,9}`)
	times := rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "ns")) })
	id := rapid.Uint64Range(0, 1<<32)
	p := &Plan{Seed: rapid.Uint64().Draw(t, "seed"), Virtual: 1 + times.Draw(t, "virtual")}
	if rapid.Bool().Draw(t, "planted") {
		p.Mutant, p.Expect = name.Draw(t, "mutant"), name.Draw(t, "expect")
	}
	settings := func() (all []Setting) {
		for _, name := range rapid.SliceOfNDistinct(name, 0, 3, rapid.ID[string]).Draw(t, "settings") {
			all = append(all, Setting{name, rapid.String().Draw(t, "value")})
		}
		return all
	}
	p.Settings = settings()
	for range rapid.IntRange(1, 3).Draw(t, "brokers") {
		p.Disks = append(p.Disks, simdisk.Drawn(env.NewRandom(p.Seed, 1), rapid.Uint64Range(0, 9).Draw(t, "disk")))
	}
	if rapid.Bool().Draw(t, "network") {
		p.Network = simnet.Faults{DelayMin: times.Draw(t, "min"), LossIn: id.Draw(t, "loss"), SlowPercent: 7, HalfOpenMax: times.Draw(t, "max")}
	}
	for site := range env.Sites {
		if rapid.Bool().Draw(t, "site") {
			p.Chances = append(p.Chances, env.Site(site).String())
		}
	}
	p.Topics = []string{name.Draw(t, "topic")}
	for range rapid.IntRange(0, 5).Draw(t, "faults") {
		p.Faults = append(p.Faults, anyFault(t, p, times, id))
	}
	producer := func() Producer {
		made := Producer{ID: id.Draw(t, "id"), Topic: p.Topics[0], Acks: int16(rapid.IntRange(-1, 1).Draw(t, "acks")), Version: 9}
		made.Idempotent = made.Acks == -1 && rapid.Bool().Draw(t, "idempotent")
		for range rapid.IntRange(0, 4).Draw(t, "sends") {
			made.Sends = append(made.Sends, Send{
				ID: id.Draw(t, "id"), At: times.Draw(t, "at"), Records: rapid.Uint64Range(1, recordsMax).Draw(t, "records"),
				Bytes: rapid.Uint64Range(1, valueMax).Draw(t, "bytes"), Again: times.Draw(t, "again"),
			})
		}
		return made
	}
	consumer := func() Consumer {
		return Consumer{
			ID: id.Draw(t, "id"), Topic: p.Topics[0], WaitMax: times.Draw(t, "wait"), BytesMin: rapid.Int32Range(0, 9).Draw(t, "least"),
			BytesMax: rapid.Int32Range(1, 1<<31-1).Draw(t, "most"), Rereads: id.Draw(t, "rereads"), Wanders: id.Draw(t, "wanders"),
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "clients") {
		c := Client{ID: id.Draw(t, "id"), FetchVersion: 12}
		for range rapid.IntRange(0, 2).Draw(t, "producers") {
			c.Producers = append(c.Producers, producer())
		}
		for range rapid.IntRange(0, 2).Draw(t, "consumers") {
			c.Consumers = append(c.Consumers, consumer())
		}
		if p.Brokers() == 1 {
			for range rapid.IntRange(0, 2).Draw(t, "churns") {
				c.Churns = append(c.Churns, Churn{
					Topic: p.Topics[0], Settings: settings(), Producer: producer(), Consumer: consumer(), Idle: times.Draw(t, "idle"),
					Deletes: rapid.SliceOfN(times, 1, 3).Draw(t, "deletes"),
				})
			}
		}
		for range rapid.IntRange(0, 1).Draw(t, "deletions") {
			c.Deletions = append(c.Deletions, Deletion{Topic: p.Topics[0], Turns: []Turn{{id.Draw(t, "id"), times.Draw(t, "at")}}})
		}
		p.Clients = append(p.Clients, c)
	}
	return p
}

// anyFault draws a fault with all the fields that its kind has.
func anyFault(t *rapid.T, p *Plan, times *rapid.Generator[time.Duration], id *rapid.Generator[uint64]) Fault {
	f := Fault{ID: id.Draw(t, "id"), At: times.Draw(t, "at"), Kind: rapid.SampledFrom(Kinds()).Draw(t, "kind")}
	r := rows()[f.Kind]
	if r.broker {
		f.Broker = int32(rapid.IntRange(1, p.Brokers()).Draw(t, "broker"))
	}
	if r.down {
		f.Down = times.Draw(t, "down")
	}
	if r.lasts {
		f.For = times.Draw(t, "for")
	}
	if r.shift {
		f.For = times.Draw(t, "by") - times.Draw(t, "back")
	}
	if r.files {
		f.Files = rapid.SampledFrom([]string{"", "*.log", "a b"}).Draw(t, "files")
	}
	if r.hows != nil {
		f.How = rapid.SampledFrom(r.hows).Draw(t, "how")
	}
	if r.number != "" {
		f.Number = rapid.Uint64Range(r.least, r.most).Draw(t, "number")
	}
	f.Flag = r.flag != "" && rapid.Bool().Draw(t, "flag")
	return f
}

func TestEveryPlanReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyPlan(t)
		text := want.String()
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v\nwant %+v\n%s", got, want, text)
		}
	})
}

const small = `barnabas plan 1
seed 7
virtual 10s
set log.cleanup.policy "compact,delete" # a comment
disk ordered call 4us read 60us sync 150us bytes-per-us 800 jitter 60 slow-in 200 slow-factor 12 capacity 0

topic t
fault 1 at 1.5s crash broker 1 down 2s
client 0 fetch-version 13
producer 0 topic t idempotent acks -1 version 9
send 0 20ms 3x100 again 5ms
consumer 0 topic t wait 500ms least 1 most 1048576 rereads 0
`

func TestWhatIsNoPlanIsRefusedWithItsLine(t *testing.T) {
	if _, err := Parse(small); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, to, want string }{
		{"barnabas plan 1", "barnabas plan 2", `line 1: this is no plan of a version that can be read here: a plan begins with "barnabas plan 1"`},
		{small, "", `line 0: this is no plan: a plan begins with "barnabas plan 1"`},
		{"seed 7", "seed seven", `line 2: "seven" is no number from 0 to 18446744073709551615`},
		{"seed 7\n", "", `line 11: the plan is cut off: it needs seed, virtual, a disk for every broker, and a topic`},
		{"10s", "10", `line 3: "10" is no time: write 1.5s, 20ms, 100us`},
		{"10s", "-10s", `line 3: -10s is a negative time`},
		{"10s", "9999999h", `line 3: "9999999h" is no time: write 1.5s, 20ms, 100us`},
		{`"compact,delete"`, `"compact`, `line 4: a quote that does not end`},
		{"ordered", "sloppy", `line 5: there is no strictness "sloppy"; there are ordered, posix-min, adversarial`},
		{"slow-in 200", "slow-in 0", `line 5: slow-in is at least 1`},
		{"read 60us", "60us", `line 5: "60us" stands where "read" must`},
		{"crash", "crush", `line 8: there is no kind of fault "crush"; there are crash, power, pause, `},
		{"broker 1", "broker 2", `line 8: there is no broker 2; brokers, each with its disk line, come before faults`},
		{"down 2s", "down 2s together", `line 8: "together" is too much`},
		{"down 2s", "", `line 8: a word is missing at the end`},
		{"client 0 fetch-version 13\n", "", `line 9: producer without a client before it`},
		{"0 topic t idempotent", "0 topic u idempotent", `line 10: there is no topic "u"; topics come before clients`},
		{"acks -1", "acks 1", `line 10: acks are -1, 0 or 1, and those of an idempotent producer -1`},
		{"3x100", "3", `line 11: a batch is RECORDSxBYTES`},
		{"3x100", "0x100", `line 11: a batch without records, or records without a byte`},
		{"3x100", "3x99999999999", `line 11: "99999999999" is no number from 0 to 16777216`},
		{"consumer 0", "customer 0", `line 12: unknown word "customer"`},
		{"consumer 0", "turn 0 1s\nconsumer 0", `line 12: turn without a deletion before it`},
		{"consumer 0", "churn again\nconsumer 0", ``},
	} {
		_, err := Parse(strings.Replace(small, c.old, c.to, 1))
		if c.want == "" {
			c.want = "line 13: the churn before lacks its used-by-consumer or its used-by-producer"
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q instead of %q: %v\nwant %s", c.to, c.old, err, c.want)
		}
	}
}

// FuzzParse reads anything: it is refused with a line, or it is a plan that reads back as it was written.
func FuzzParse(f *testing.F) {
	f.Add(small)
	files, err := filepath.Glob("../testdata/regressions/*.plan")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		again, err := Parse(p.String())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%v\n%s", err, p)
		}
	})
}
