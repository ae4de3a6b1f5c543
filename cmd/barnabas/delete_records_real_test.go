package main

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestRealDeleteRecords deletes as a user does, kills the broker at once, and finds the records gone.
func TestRealDeleteRecords(t *testing.T) {
	folder := t.TempDir()
	b := startBroker(t, folder)
	if _, err := kadm.NewClient(client(t, b)).CreateTopic(within(t), 1, 1, nil, "topic"); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		produced(t, b, "topic", int64(i))
	}
	deleteBelow := func(offset, low int64, want error) {
		t.Helper()
		offsets := make(kadm.Offsets)
		offsets.AddOffset("topic", 0, offset, -1)
		answer, err := kadm.NewClient(client(t, b)).DeleteRecords(within(t), offsets)
		row, ok := answer["topic"][0]
		if !ok {
			t.Fatal(err)
		}
		if !errors.Is(row.Err, want) || row.LowWatermark != low {
			t.Errorf("up to %d: low watermark %d, %v; want %d, %v", offset, row.LowWatermark, row.Err, low, want)
		}
	}
	deleteBelow(3, 3, nil)
	b.kill()
	b = startBroker(t, folder)
	deleteBelow(6, -1, kerr.OffsetOutOfRange)
	starts, err := kadm.NewClient(client(t, b)).ListStartOffsets(within(t), "topic")
	if start, ok := starts.Lookup("topic", 0); err != nil || !ok || start.Offset != 3 {
		t.Errorf("the log starts at %+v, %v", start, err)
	}
	c := client(t, b, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"topic": {0: kgo.NewOffset().At(0)}}))
	if first := c.PollRecords(within(t), 1).Records(); len(first) != 1 || first[0].Offset != 3 {
		t.Errorf("a consumer that asks for offset 0 gets %+v", first) // it is sent back, and begins anew where there is something
	}
	deleteBelow(-1, 5, nil)
	produced(t, b, "topic", 5)
}
