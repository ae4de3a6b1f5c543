package api

import (
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// metadata describes brokers and topics as this broker's image has them.
//
// Key 3, versions 0–13 (flexible from 9).
//
//   - A null list (an empty one in version 0) asks for all topics.
//   - Topics asked by a name nobody has are made when the client and auto.create.topics.enable allow it; the answer waits
//     until they are there.
//   - Every broker's address is the one configured, or for this broker, the one the client came in on.
func (h *Handlers) metadata(r *wire.Request, m *protocol.MetadataRequest) {
	missing := h.missing(r, m)
	if len(missing) == 0 || h.controller == nil {
		r.Answer(h.describe(r, m, nil), nil)
		return
	}
	create := &protocol.CreateTopicsRequest{TimeoutMs: 30_000}
	for _, name := range missing {
		create.Topics = append(create.Topics, protocol.CreatableTopic{Name: name, NumPartitions: -1, ReplicationFactor: -1})
	}
	h.controller.CreateTopics(create, func(created *protocol.CreateTopicsResponse) {
		r.Answer(h.describe(r, m, created), nil)
	})
}

// missing returns the names to make.
func (h *Handlers) missing(r *wire.Request, m *protocol.MetadataRequest) []string {
	allowed := h.options.AutoCreateTopics && (m.AllowAutoTopicCreation || r.Header.RequestApiVersion < 4)
	if !allowed {
		return nil
	}
	var names []string
	seen := make(map[string]bool)
	image := h.image()
	for i := range m.Topics {
		name := m.Topics[i].Name
		if _, known := image.Topics.Get(name.Value); name.Valid && !known && !seen[name.Value] && name.Value != "" {
			seen[name.Value] = true
			names = append(names, name.Value)
		}
	}
	return names
}

// describe builds the answer. created, if not nil, says why topics could not be made.
func (h *Handlers) describe(r *wire.Request, m *protocol.MetadataRequest, created *protocol.CreateTopicsResponse) *protocol.MetadataResponse {
	answer := h.describeAll(r, m, created)
	if m.IncludeClusterAuthorizedOperations {
		answer.ClusterAuthorizedOperations = clusterOperations
	}
	for i := range answer.Topics {
		if row := &answer.Topics[i]; m.IncludeTopicAuthorizedOperations && row.ErrorCode == protocol.ErrNone {
			row.TopicAuthorizedOperations = topicOperations
		}
	}
	return answer
}

func (h *Handlers) describeAll(r *wire.Request, m *protocol.MetadataRequest, created *protocol.CreateTopicsResponse) *protocol.MetadataResponse {
	image := h.image()
	answer := &protocol.MetadataResponse{}
	answer.Default()
	answer.ClusterId = protocol.String(h.options.ClusterID)
	answer.ControllerId = h.options.Self
	for id, b := range image.Brokers.All {
		if b.Fenced {
			continue
		}
		host, port := h.addressOf(r, b)
		answer.Brokers = append(answer.Brokers, protocol.MetadataResponseBroker{NodeId: id, Host: host, Port: port, Rack: b.Rack})
	}
	all := m.Topics == nil || r.Header.RequestApiVersion == 0 && len(m.Topics) == 0
	if all {
		for _, t := range image.Topics.All {
			answer.Topics = append(answer.Topics, describeTopic(image, t))
		}
		return answer
	}
	for i := range m.Topics {
		answer.Topics = append(answer.Topics, h.lookUp(image, &m.Topics[i], created))
	}
	return answer
}

// lookUp describes one topic asked for by name or id.
func (h *Handlers) lookUp(image *metadata.Image, asked *protocol.MetadataRequestTopic, created *protocol.CreateTopicsResponse) protocol.MetadataResponseTopic {
	var row protocol.MetadataResponseTopic
	row.Default()
	if !asked.Name.Valid {
		if t := image.Topic(asked.TopicId); t != nil {
			return describeTopic(image, t)
		}
		row.ErrorCode, row.TopicId = protocol.ErrUnknownTopicId, asked.TopicId
		return row
	}
	if t, ok := image.Topics.Get(asked.Name.Value); ok {
		return describeTopic(image, t)
	}
	row.ErrorCode, row.Name = protocol.ErrUnknownTopicOrPartition, asked.Name
	if created != nil {
		for i := range created.Topics {
			if c := &created.Topics[i]; c.Name == asked.Name.Value && c.ErrorCode != protocol.ErrNone {
				row.ErrorCode = c.ErrorCode
			}
		}
	}
	return row
}

func describeTopic(image *metadata.Image, t *metadata.Topic) protocol.MetadataResponseTopic {
	var row protocol.MetadataResponseTopic
	row.Default()
	row.Name, row.TopicId, row.IsInternal = protocol.String(t.Name), t.ID, isInternal(t.Name)
	for id, p := range t.Partitions.All {
		partition := protocol.MetadataResponsePartition{
			PartitionIndex: id, LeaderId: p.Leader, LeaderEpoch: p.LeaderEpoch, ReplicaNodes: p.Replicas, IsrNodes: p.ISR,
		}
		if p.Leader == metadata.NoLeader {
			partition.ErrorCode = protocol.ErrLeaderNotAvailable
		}
		partition.OfflineReplicas = offline(image, p)
		row.Partitions = append(row.Partitions, partition)
	}
	return row
}

// endpoint returns the address a broker registered.
func endpoint(b *metadata.Broker) (string, int32) {
	if len(b.EndPoints) == 0 {
		return "", -1
	}
	return b.EndPoints[0].Host, int32(b.EndPoints[0].Port)
}
