package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// inSession is a fetch of a session: id and epoch, then topics of one partition as NAME or NAME@OFFSET, and -NAME for one
// that is forgotten.
func inSession(version int16, id, epoch int32, topics ...string) *protocol.FetchRequest {
	m := protocol.NewFetchRequest()
	m.SessionId, m.SessionEpoch = id, epoch
	for _, text := range topics {
		name, forgotten := strings.CutPrefix(text, "-")
		name, at, _ := strings.Cut(name, "@")
		topic := protocol.FetchTopic{Topic: name}
		if version >= 13 {
			topic.Topic, topic.TopicId = "", idOf(name)
		}
		if forgotten {
			m.ForgottenTopicsData = append(m.ForgottenTopicsData, protocol.FetchForgottenTopic{
				Topic: topic.Topic, TopicId: topic.TopicId, Partitions: []int32{0},
			})
			continue
		}
		partition := protocol.NewFetchPartition()
		partition.PartitionMaxBytes = 1 << 20
		_, _ = fmt.Sscan(at, &partition.FetchOffset)
		topic.Partitions = []protocol.FetchPartition{partition}
		m.Topics = append(m.Topics, topic)
	}
	return m
}

// news asks, and renders what comes: the error or the session's id, and the topics with their bytes or errors.
func (r *rig) news(version int16, m *protocol.FetchRequest) (int32, string) {
	r.t.Helper()
	answer := r.ask(m, version).(*protocol.FetchResponse)
	if answer.ErrorCode != protocol.ErrNone {
		return answer.SessionId, word(answer.ErrorCode)
	}
	names := map[protocol.UUID]string{}
	for _, name := range []string{"led", "small", "halted", "elsewhere", "followed"} {
		names[idOf(name)] = name
	}
	text := []string{}
	for _, topic := range answer.Responses {
		for _, p := range topic.Partitions {
			what := fmt.Sprintf("%s%s:%d", topic.Topic, names[topic.TopicId], p.Records.Len())
			if p.ErrorCode != protocol.ErrNone {
				what = topic.Topic + names[topic.TopicId] + ":" + word(p.ErrorCode)
			}
			text = append(text, what)
		}
	}
	return answer.SessionId, strings.Join(text, " ")
}

func (r *rig) wantNews(version int16, m *protocol.FetchRequest, wantID int32, want string) {
	r.t.Helper()
	if id, got := r.news(version, m); got != want || id != wantID {
		r.t.Errorf("session %d epoch %d: session %d, %q; want %d, %q", m.SessionId, m.SessionEpoch, id, got, wantID, want)
	}
}

func TestASessionTellsWhatIsNews(t *testing.T) {
	for _, version := range []int16{7, 12, 13, 18} {
		r := scripted(t)
		size := len(batch("a"))
		r.wantNews(version, inSession(version, 0, 0, "led", "small"), 1, "led:0 small:0")
		r.wantNews(version, inSession(version, 1, 1), 1, "")
		r.produced("small", batch("a"))
		r.wantNews(version, inSession(version, 1, 2), 1, fmt.Sprintf("small:%d", size))
		r.wantNews(version, inSession(version, 1, 3), 1, fmt.Sprintf("small:%d", size)) // not taken on yet
		r.produced("led", batch("a"))
		r.wantNews(version, inSession(version, 1, 4, "small@1"), 1, fmt.Sprintf("led:%d", size))
		r.produced("small", batch("b"))
		// What had records comes last.
		r.wantNews(version, inSession(version, 1, 5), 1, fmt.Sprintf("small:%d led:%d", size, size))
		r.wantNews(version, inSession(version, 1, 6, "small@2", "-led"), 1, "")
		r.produced("led", batch("c"))
		r.wantNews(version, inSession(version, 1, 7), 1, "")
		r.wantNews(version, inSession(version, 1, 8, "led@2"), 1, "led:0") // new again: its ends are news
		r.wantNews(version, inSession(version, 1, 9, "-led", "-small"), 0, "")
		r.wantNews(version, inSession(version, 1, 10), 0, "FETCH_SESSION_ID_NOT_FOUND")
	}
}

func TestASessionGoesOnOnlyAtItsEpoch(t *testing.T) {
	r := scripted(t)
	r.wantNews(12, inSession(12, 0, 0, "led"), 1, "led:0")
	r.wantNews(12, inSession(12, 1, 2), 0, "INVALID_FETCH_SESSION_EPOCH")
	r.wantNews(12, inSession(12, 1, 1), 1, "")
	r.wantNews(12, inSession(12, 1, 1), 0, "INVALID_FETCH_SESSION_EPOCH")
	r.wantNews(12, inSession(12, 9, 1), 0, "FETCH_SESSION_ID_NOT_FOUND")
	r.wantNews(13, inSession(13, 1, 2), 0, "FETCH_SESSION_TOPIC_ID_ERROR")
	r.wantNews(12, inSession(12, 1, 2), 1, "")
	// A full fetch ends the session it names, and begins another.
	r.wantNews(12, inSession(12, 1, 0, "led"), 2, "led:0")
	r.wantNews(12, inSession(12, 1, 3), 0, "FETCH_SESSION_ID_NOT_FOUND")
	// Or none.
	r.wantNews(12, inSession(12, 2, -1, "led"), 0, "led:0")
	r.wantNews(12, inSession(12, 2, 1), 0, "FETCH_SESSION_ID_NOT_FOUND")
	// Without partitions there is nothing to remember.
	r.wantNews(12, inSession(12, 0, 0), 0, "")
}

func TestErrorsAreAlwaysNewsAndSoIsTheirEnd(t *testing.T) {
	r := scripted(t)
	r.wantNews(12, inSession(12, 0, 0, "led@7", "elsewhere"), 1, "led:OFFSET_OUT_OF_RANGE elsewhere:NOT_LEADER_OR_FOLLOWER")
	r.wantNews(12, inSession(12, 1, 1, "-elsewhere"), 1, "led:OFFSET_OUT_OF_RANGE")
	r.wantNews(12, inSession(12, 1, 2, "led"), 1, "led:0")
	r.wantNews(12, inSession(12, 1, 3), 1, "")
}

func TestASessionsFetchWaits(t *testing.T) {
	r := scripted(t)
	r.wantNews(12, inSession(12, 0, 0, "led", "small"), 1, "led:0 small:0")
	m := inSession(12, 1, 1)
	m.MinBytes, m.MaxWaitMs = 1, 30_000
	q := r.begin(m, 12)
	r.pass(time.Second)
	if q.done {
		t.Fatal("nothing was produced, and it is answered")
	}
	r.produced("led", batch("a"))
	r.until("the answer", func() bool { return q.done })
	if answer := q.answer.(*protocol.FetchResponse); len(answer.Responses) != 1 || answer.Responses[0].Topic != "led" {
		t.Errorf("%+v", answer)
	}
}

func TestSessionsGiveWay(t *testing.T) {
	r := scripted(t, "max.incremental.fetch.session.cache.slots", "2")
	r.wantNews(12, inSession(12, 0, 0, "led"), 1, "led:0")
	r.wantNews(12, inSession(12, 0, 0, "led", "small"), 2, "led:0 small:0")
	r.wantNews(12, inSession(12, 0, 0, "led", "small", "halted"), 0, "led:0 small:0 halted:0") // both are young
	r.pass(110 * time.Second)
	r.wantNews(12, inSession(12, 1, 1), 1, "")
	r.wantNews(12, inSession(12, 2, 1), 2, "")
	r.pass(20 * time.Second)
	r.wantNews(12, inSession(12, 0, 0, "led"), 0, "led:0") // both are old, in use, and none is smaller
	r.wantNews(12, inSession(12, 0, 0, "led", "small", "halted"), 3, "led:0 small:0 halted:0")
	r.wantNews(12, inSession(12, 1, 2), 0, "FETCH_SESSION_ID_NOT_FOUND") // the smaller one gave way
	r.wantNews(12, inSession(12, 2, 2), 2, "")
	r.pass(121 * time.Second) // nobody used one
	r.wantNews(12, inSession(12, 0, 0, "led"), 4, "led:0")
	r.wantNews(12, inSession(12, 3, 1), 0, "FETCH_SESSION_ID_NOT_FOUND") // it was used longest ago
	follower := inSession(12, 0, 0, "halted")
	follower.ReplicaId = 2
	if id, _ := r.news(12, follower); id != 5 {
		t.Errorf("a follower's session is %d", id)
	}
}
