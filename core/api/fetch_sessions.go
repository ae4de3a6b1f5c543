package api

import (
	"encoding/binary"
	"fmt"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/task"
)

// A fetch session (KIP-227) is what a broker remembers of a client's partitions, so that a fetch names only what has
// changed, and its answer only what is news. A full fetch begins one, at epoch 0; incremental ones follow at epochs 1, 2,
// and so on. Sessions belong to no connection: whoever knows the id, which nobody can guess, goes on with one.

const (
	sessionEpochFirst = 0  // begins a session, and ends the one that is named
	sessionEpochNone  = -1 // ends the session that is named, and wants none

	// sessionIdle is how long a session stays when others want its place: unused for so long, any may have it; as old as
	// that, one with more partitions may. A follower's gives way to a follower's alone.
	sessionIdle = 2 * time.Minute
	// sessionPartitionsMax bounds what all sessions hold; beyond it there are no new ones, and one that grows beyond it
	// ends. Each takes some 300 bytes.
	sessionPartitionsMax = 200_000
)

// sessions are those of a broker. Their number is max.incremental.fetch.session.cache.slots.
type sessions struct {
	env        env.Env
	most       int
	byID       map[int32]*session
	oldest     []*session // in the order in which they were used, oldest first
	partitions int        // in all of them
}

// session is one client's.
type session struct {
	id        int32
	epoch     int32 // of the next request
	follower  bool
	byTopicID bool
	began     task.Instant
	used      task.Instant
	partition map[sessionKey]*sessionPartition
	order     []*sessionPartition // in which they are looked at: those that had records come last
}

type sessionKey struct {
	topic string
	id    protocol.UUID
	index int32
}

// sessionPartition is what the client wants of a partition, and what it was told.
type sessionPartition struct {
	key           sessionKey
	asked         protocol.FetchPartition
	highWatermark int64 // -1: it was told nothing, or an error
	logStart      int64
	gone          bool // it is not of the session any more
}

func newSessions(e env.Env, most int) *sessions {
	return &sessions{env: e, most: most, byID: make(map[int32]*session)}
}

// fetchContext is how a request stands to its session.
type fetchContext struct {
	sessions    *sessions
	session     *session // nil: there is none, or it is to begin
	incremental bool
	begin       bool
	follower    bool
	byTopicID   bool
	topics      []protocol.FetchTopic // of a session that begins
}

// enter finds the session of a request, and completes the request with the partitions it does not name.
// Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR.
func (all *sessions) enter(m *protocol.FetchRequest, version int16, follower bool) (*fetchContext, error) {
	c := &fetchContext{sessions: all, follower: follower, byTopicID: version >= 13}
	if m.SessionEpoch == sessionEpochFirst || m.SessionEpoch == sessionEpochNone {
		if s := all.byID[m.SessionId]; s != nil {
			all.remove(s)
		}
		if c.begin = m.SessionEpoch == sessionEpochFirst; c.begin {
			c.topics = m.Topics
		}
		return c, nil
	}
	s := all.byID[m.SessionId]
	switch {
	case s == nil:
		return nil, protocol.ErrFetchSessionIdNotFound
	case s.epoch != m.SessionEpoch:
		return nil, fmt.Errorf("%w: got %d, want %d", protocol.ErrInvalidFetchSessionEpoch, m.SessionEpoch, s.epoch)
	case s.byTopicID != c.byTopicID:
		return nil, protocol.ErrFetchSessionTopicIdError
	}
	if !all.change(s, m) {
		all.remove(s)
		return nil, fmt.Errorf("%w: it outgrew what all sessions may hold", protocol.ErrFetchSessionIdNotFound)
	}
	if len(s.order) == 0 { // nothing is left to be remembered
		all.remove(s)
		m.Topics = nil
		return c, nil
	}
	all.touch(s)
	s.epoch = nextEpoch(s.epoch)
	c.session, c.incremental = s, true
	m.Topics = s.topics()
	return c, nil
}

// nextEpoch counts on; the epochs that have a meaning of their own are left out.
func nextEpoch(epoch int32) int32 {
	if epoch == 1<<31-1 {
		return 1
	}
	return epoch + 1
}

// change notes what an incremental request adds, alters and takes away. It says whether there is room for that.
func (all *sessions) change(s *session, m *protocol.FetchRequest) bool {
	for i := range m.Topics {
		for _, asked := range m.Topics[i].Partitions {
			if all.want(s, &m.Topics[i], asked); all.partitions > sessionPartitionsMax {
				return false
			}
		}
	}
	gone := false
	for i := range m.ForgottenTopicsData {
		topic := &m.ForgottenTopicsData[i]
		for _, index := range topic.Partitions {
			key := sessionKey{topic.Topic, topic.TopicId, index}
			if p := s.partition[key]; p != nil {
				p.gone, gone = true, true
				delete(s.partition, key)
				all.partitions--
			}
		}
	}
	if gone {
		s.reorder(func(p *sessionPartition) int {
			if p.gone {
				return -1
			}
			return 0
		})
	}
	return true
}

// want notes that the session has a partition, and what is asked of it.
func (all *sessions) want(s *session, topic *protocol.FetchTopic, asked protocol.FetchPartition) {
	key := sessionKey{topic.Topic, topic.TopicId, asked.Partition}
	p := s.partition[key]
	if p == nil {
		p = &sessionPartition{key: key, highWatermark: -1, logStart: -1}
		s.partition[key] = p
		s.order = append(s.order, p)
		all.partitions++
	}
	p.asked = asked
}

// topics returns the session's partitions as a full request would name them.
func (s *session) topics() (topics []protocol.FetchTopic) {
	for _, p := range s.order {
		last := len(topics) - 1
		if last < 0 || topics[last].Topic != p.key.topic || topics[last].TopicId != p.key.id {
			topics = append(topics, protocol.FetchTopic{Topic: p.key.topic, TopicId: p.key.id})
			last++
		}
		topics[last].Partitions = append(topics[last].Partitions, p.asked)
	}
	return topics
}

// reorder moves the partitions of class 1 behind those of class 0, and drops those of class -1.
func (s *session) reorder(class func(*sessionPartition) int) {
	first := make([]*sessionPartition, 0, len(s.order))
	var last []*sessionPartition
	for _, p := range s.order {
		switch class(p) {
		case 0:
			first = append(first, p)
		case 1:
			last = append(last, p)
		}
	}
	s.order = append(first, last...)
}

// leave makes the answer what the session wants: of an incremental one, only what is news; a new session's id in a full
// one.
func (c *fetchContext) leave(answer *protocol.FetchResponse) {
	switch {
	case c.begin:
		c.session = c.sessions.begin(c)
		if c.session != nil {
			answer.SessionId = c.session.id
			c.session.told(answer, true)
		}
	case c.incremental:
		answer.SessionId = c.session.id
		c.session.told(answer, false)
	}
}

// told notes what the client is told and, unless it is told everything, takes away what it knows.
func (s *session) told(answer *protocol.FetchResponse, everything bool) {
	had := make(map[*sessionPartition]bool)
	topics := answer.Responses[:0]
	for _, topic := range answer.Responses {
		rows := topic.Partitions[:0]
		for i := range topic.Partitions {
			row := &topic.Partitions[i]
			p := s.partition[sessionKey{topic.Topic, topic.TopicId, row.PartitionIndex}]
			if p == nil || p.isNews(row) || everything {
				rows = append(rows, *row)
			}
			if p != nil && row.Records.Len() > 0 {
				had[p] = true
			}
		}
		if topic.Partitions = rows; len(rows) > 0 {
			topics = append(topics, topic)
		}
	}
	answer.Responses = topics
	if len(had) > 0 && len(had) < len(s.order) {
		s.reorder(func(p *sessionPartition) int {
			if had[p] {
				return 1
			}
			return 0
		})
	}
}

// isNews says whether the client does not know what the row says, and notes it.
func (p *sessionPartition) isNews(row *protocol.FetchPartitionData) bool {
	news := row.Records.Len() > 0 || row.HighWatermark != p.highWatermark || row.LogStartOffset != p.logStart ||
		row.DivergingEpoch.Epoch >= 0 || row.PreferredReadReplica >= 0
	p.highWatermark, p.logStart = row.HighWatermark, row.LogStartOffset
	if row.ErrorCode != protocol.ErrNone {
		// When the error is over the client is told so, as what it knows is nothing.
		p.highWatermark = -1
		return true
	}
	return news
}

// begin makes a session of a full request, unless there is no place for it.
func (all *sessions) begin(c *fetchContext) *session {
	count := 0
	for i := range c.topics {
		count += len(c.topics[i].Partitions)
	}
	if count == 0 || !all.makeRoom(count, c.follower) {
		return nil
	}
	now := all.env.Loop.Now()
	s := &session{
		id: all.newID(), epoch: 1, follower: c.follower, byTopicID: c.byTopicID, began: now, used: now,
		partition: make(map[sessionKey]*sessionPartition, count),
	}
	for i := range c.topics {
		for _, asked := range c.topics[i].Partitions {
			all.want(s, &c.topics[i], asked)
		}
	}
	all.byID[s.id] = s
	all.oldest = append(all.oldest, s)
	return s
}

// newID draws an id that nobody can foresee and nobody has.
func (all *sessions) newID() int32 {
	for {
		var b [4]byte
		all.env.Secrets.Fill(b[:])
		if id := int32(binary.BigEndian.Uint32(b[:]) &^ (1 << 31)); id != 0 && all.byID[id] == nil {
			return id
		}
	}
}

// makeRoom says whether a session of so many partitions may begin. It ends one for it, if it must and may.
func (all *sessions) makeRoom(count int, follower bool) bool {
	if all.most == 0 || all.partitions+count > sessionPartitionsMax {
		return false
	}
	if len(all.byID) < all.most {
		return true
	}
	now := all.env.Loop.Now()
	if stale := all.oldest[0]; now > stale.used.Add(sessionIdle) {
		all.remove(stale)
		return true
	}
	var least *session
	for _, s := range all.oldest {
		if now <= s.began.Add(sessionIdle) || s.follower && !follower || len(s.order) >= count && s.follower == follower {
			continue
		}
		if least == nil || less(s, least) {
			least = s
		}
	}
	if least == nil {
		return false
	}
	all.remove(least)
	return true
}

// less orders sessions by how little they are missed: consumers' before followers', small ones before large ones.
func less(a, b *session) bool {
	if a.follower != b.follower {
		return b.follower
	}
	return len(a.order) < len(b.order)
}

func (all *sessions) touch(s *session) {
	s.used = all.env.Loop.Now()
	all.takeOut(s)
	all.oldest = append(all.oldest, s)
}

func (all *sessions) takeOut(s *session) {
	for i, other := range all.oldest {
		if other == s {
			all.oldest = append(all.oldest[:i], all.oldest[i+1:]...)
			return
		}
	}
}

func (all *sessions) remove(s *session) {
	delete(all.byID, s.id)
	all.takeOut(s)
	all.partitions -= len(s.partition)
}
