package linearizability

import (
	"math/rand/v2"
	"testing"
)

// longHistory is a legal history of 64 clients, half of them producers, and 4 partitions: batches of one to three records,
// every fiftieth with an open outcome, half of those lost; consumers read everything some batches at a time.
func longHistory(operations int) *History {
	const clients, partitions = 64, 4
	r := rand.New(rand.NewPCG(1, 8))
	h := &History{}
	for p := range partitions {
		h.AddPartition(Partition{Name: "t-" + string(rune('0'+p))})
	}
	for c := range clients {
		h.AddClient(Client{Class: []Class{Consumer, Idempotent, Consumer, Retrying}[c%4]})
	}
	var logs [partitions][]Run
	var positions [clients]int64 // within runs
	var numbers [clients]uint32
	var begun [clients]bool
	ends := [partitions]int64{}
	for now := int64(1000); len(h.Operations) < operations; now += 10 {
		c := uint32(r.IntN(clients))
		p := c / 4 % partitions // each client keeps to one partition
		o := Operation{Client: c, Partition: p, Epoch: NoEpoch, Offset: -1, Call: now - int64(r.IntN(300)), Return: now + int64(r.IntN(300))}
		if c%2 == 1 {
			o.Count = int32(1 + r.IntN(3))
			o.First = MakeValue(c, numbers[c])
			numbers[c] += uint32(o.Count)
			open := r.IntN(50) == 0
			if open {
				o.Outcome = Unknown
			}
			if !open || r.IntN(2) == 0 {
				logs[p] = append(logs[p], Run{ends[p], o.First, o.Count, NoEpoch})
				if !open {
					o.Offset = ends[p]
				}
				ends[p] += int64(o.Count)
			}
		} else {
			o.Kind = Poll
			o.Call, o.Return = now, now+9 // one at a time
			if !begun[c] {
				begun[c], o.Offset = true, 0
			}
			until := min(int64(len(logs[p])), positions[c]+6)
			o.Runs = logs[p][positions[c]:until:until]
			positions[c] = until
		}
		h.Add(o)
	}
	return h
}

func TestLongHistoriesAreClean(t *testing.T) {
	report, err := Check(longHistory(50_000))
	if err != nil || !report.Clean() {
		t.Fatal(report, err)
	}
}
