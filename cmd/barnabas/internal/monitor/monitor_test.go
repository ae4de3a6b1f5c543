package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"barnabas/core"
	"barnabas/core/replica"
	listen "barnabas/net"
)

// still is a broker whose counts a test sets. (A real one is watched in the stories of cmd/barnabas.)
type still struct {
	metrics core.Metrics
	stuck   bool
}

func (s *still) Metrics(ctx context.Context) (core.Metrics, error) { return s.metrics, s.Turns(ctx) }

func (s *still) Counts() listen.Counts { return listen.Counts{Refused: 3, Delayed: 4} }
func (s *still) FreeBytes() int64      { return 1000 }

func (s *still) Turns(context.Context) error {
	if s.stuck {
		return context.DeadlineExceeded
	}
	return nil
}

func get(t *testing.T, s *Server, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + s.Address() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func serving(t *testing.T, b Broker) *Server {
	t.Helper()
	s, err := Start("127.0.0.1:0", "devel", b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestHealth(t *testing.T) {
	b := &still{}
	s := serving(t, b)
	for _, c := range []struct {
		name        string
		set         func()
		live, ready string
	}{
		{"starting", func() {}, `200 {"live":true}`, `503 {"ready":false,"reason":"the broker is starting or stopping"}`},
		{"ready", func() { b.metrics.Ready = true }, `200 {"live":true}`, `200 {"ready":true}`},
		{"broken", func() { b.metrics.Failure = errors.New("disk") }, `200 {"live":true}`, `503 {"ready":false,"reason":"disk"}`},
		{
			"stuck", func() { b.stuck = true }, `503 {"live":false,"reason":"the broker's loop did not turn within 5s"}`,
			`503 {"ready":false,"reason":"the broker's loop did not answer within 5s"}`,
		},
	} {
		c.set()
		for path, want := range map[string]string{"/livez": c.live, "/readyz": c.ready} {
			code, body := get(t, s, path)
			if got := fmt.Sprintf("%d %s", code, strings.TrimSpace(body)); got != want {
				t.Errorf("%s: %s: got %s, want %s", c.name, path, got, want)
			}
		}
	}
	if code, _ := get(t, s, "/metrics"); code != http.StatusInternalServerError {
		t.Errorf("a scrape of a stuck broker is answered with %d", code)
	}
	if code, _ := get(t, s, "/nothing"); code != http.StatusNotFound {
		t.Errorf("a page that is not there is answered with %d", code)
	}
}

var seriesLine = regexp.MustCompile(`(?m)^(barnabas_[a-z_]+)[{ ]`)

// TestEveryFamilyIsListedAndThere: what is served is documented, and the reverse.
func TestEveryFamilyIsListedAndThere(t *testing.T) {
	b := &still{metrics: core.Metrics{ByTopic: []core.TopicMetrics{{Topic: "orders", Traffic: replica.Traffic{ProducedRecords: 3}}}}}
	b.metrics.Traffic.Requests[0].Observe(1)
	_, body := get(t, serving(t, b), "/metrics")
	there := make(map[string]bool)
	for _, found := range seriesLine.FindAllStringSubmatch(body, -1) {
		name := found[1]
		for _, end := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, end)
		}
		there[name] = true
	}
	for _, row := range Rows() {
		if !there[row.Name] {
			t.Errorf("%s is documented and not served", row.Name)
		}
		delete(there, row.Name)
	}
	for name := range there {
		t.Errorf("%s is served and not documented", name)
	}
	for _, want := range []string{
		"\nbarnabas_topic_produced_records_total{topic=\"orders\"} 3\n", "\nbarnabas_request_seconds_bucket{api=\"Produce\",le=\"5e-05\"} 1\n",
		"\nbarnabas_disk_free_bytes 1000\n", "\ngo_goroutines ", "\nprocess_resident_memory_bytes ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("there is no %q in\n%s", want, body)
		}
	}
}

// TestTopicsAreBounded: however many there are, and whichever come and go, no counter goes back.
func TestTopicsAreBounded(t *testing.T) {
	var bound topics
	many := func(from, to int, records int64) []core.TopicMetrics {
		var all []core.TopicMetrics
		for i := from; i < to; i++ {
			all = append(all, core.TopicMetrics{Topic: fmt.Sprintf("topic-%05d", i), Traffic: replica.Traffic{ProducedRecords: records}})
		}
		return all
	}
	others := func(all []core.TopicMetrics) int64 {
		if last := all[len(all)-1]; last.Topic == otherTopics {
			return last.ProducedRecords
		}
		return -1
	}
	if got := bound.bounded(many(0, topicsMax, 1)); len(got) != topicsMax || others(got) != -1 {
		t.Errorf("%d topics, others %d", len(got), others(got))
	}
	if got := bound.bounded(many(0, 3*topicsMax, 1)); len(got) != topicsMax+1 || others(got) != 2*topicsMax {
		t.Errorf("%d topics, others %d", len(got), others(got))
	}
	// The own ones are deleted, and half of the others: those that stay do not move.
	got := bound.bounded(many(2*topicsMax, 3*topicsMax, 2))
	if len(got) != 1 || others(got) != topicsMax+2*topicsMax {
		t.Errorf("%d topics, others %d", len(got), others(got))
	}
	if got := bound.bounded(append(many(0, 1, 7), many(2*topicsMax, 3*topicsMax, 2)...)); len(got) != 2 || got[0].ProducedRecords != 7 {
		t.Errorf("a new topic has no series of its own: %v", got)
	}
}
