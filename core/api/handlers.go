package api

import (
	"errors"
	"fmt"

	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/replica"
	"barnabas/core/wire"
)

// Controller is who changes metadata: the one in this process, or the way to it. Answers come when the change is
// committed and this broker's image holds it.
type Controller interface {
	CreateTopics(*protocol.CreateTopicsRequest, func(*protocol.CreateTopicsResponse))
	DeleteTopics(*protocol.DeleteTopicsRequest, func(*protocol.DeleteTopicsResponse))
	CreatePartitions(*protocol.CreatePartitionsRequest, func(*protocol.CreatePartitionsResponse))
	IncrementalAlterConfigs(*protocol.IncrementalAlterConfigsRequest, func(*protocol.IncrementalAlterConfigsResponse))
	AlterConfigs(*protocol.AlterConfigsRequest, func(*protocol.AlterConfigsResponse))
	// AllocateProducerIDs gives this broker the ids [first, end), which nobody had or will have.
	AllocateProducerIDs(func(first, end int64, err error))
}

// Options are the settings the handlers look at; names are those of the settings.
type Options struct {
	Self              int32
	ClusterID         string
	AutoCreateTopics  bool
	NumPartitions     int32
	ReplicationFactor int16
	FetchBytesMax     int
	FetchSessionsMax  int
	// OpenedBytesMax bounds what comes out of a compressed batch that is opened.
	OpenedBytesMax int64
	// Advertised returns what to tell a client that came in on this address.
	Advertised func(local string) (host string, port int32)
	// Settings returns those of the broker that are in force; topics may have their own.
	Settings func() *config.Settings
	// Promise says what is durable when produce is answered, with this durability on this disk.
	Promise string
}

// Handlers answer the requests of one broker.
type Handlers struct {
	env        env.Env
	options    Options
	image      func() *metadata.Image
	replicas   *replica.Manager
	controller Controller
	producers  producerIDs
	held       held
	produces   produces
	sessions   *sessions
	workplaces []workplace // by place of env.Work
}

// NewHandlers returns handlers over the broker's parts.
func NewHandlers(e env.Env, o Options, image func() *metadata.Image, replicas *replica.Manager, c Controller) *Handlers {
	return &Handlers{
		env: e, options: o, image: image, replicas: replicas, controller: c, sessions: newSessions(e, o.FetchSessionsMax),
		held:       held{directory: replicas.Directory(), probe: e.Probe},
		workplaces: make([]workplace, e.Work.Places()),
	}
}

// Handle answers one request, now or later.
func (h *Handlers) Handle(r *wire.Request) {
	switch m := r.Message.(type) {
	case *protocol.ProduceRequest:
		h.produce(r, m)
	case *protocol.FetchRequest:
		h.fetch(r, m)
	case *protocol.ListOffsetsRequest:
		h.listOffsets(r, m)
	case *protocol.MetadataRequest:
		h.metadata(r, m)
	case *protocol.ApiVersionsRequest:
		h.apiVersions(r, m)
	case *protocol.InitProducerIdRequest:
		h.initProducerID(r, m)
	case *protocol.CreateTopicsRequest:
		h.createTopics(r, m)
	case *protocol.DeleteTopicsRequest:
		h.deleteTopics(r, m)
	case *protocol.DeleteRecordsRequest:
		h.deleteRecords(r, m)
	case *protocol.DescribeConfigsRequest:
		h.describeConfigs(r, m)
	case *protocol.CreatePartitionsRequest:
		h.createPartitions(r, m)
	case *protocol.IncrementalAlterConfigsRequest:
		h.incrementalAlterConfigs(r, m)
	case *protocol.AlterConfigsRequest:
		h.alterConfigs(r, m)
	case *protocol.DescribeClusterRequest:
		h.describeCluster(r, m)
	case *protocol.DescribeTopicPartitionsRequest:
		h.describeTopicPartitions(r, m)
	case *protocol.OffsetForLeaderEpochRequest:
		h.offsetForLeaderEpoch(r, m)
	case *protocol.DescribeProducersRequest:
		h.describeProducers(r, m)
	case *protocol.DescribeLogDirsRequest:
		h.describeLogDirs(r, m)
	case *protocol.FindCoordinatorRequest:
		h.findCoordinator(r, m)
	default:
		r.Refuse(fmt.Errorf("no handler for API key %d", r.Header.RequestApiKey))
	}
}

// codeOf returns the protocol's code in err, or UNKNOWN_SERVER_ERROR, and the text that says more.
func codeOf(err error) (protocol.Error, protocol.NullString) {
	if err == nil {
		return protocol.ErrNone, protocol.NullString{}
	}
	var code protocol.Error
	if !errors.As(err, &code) {
		code = protocol.ErrUnknownServerError
	}
	return code, protocol.String(err.Error())
}

// find returns the replica that a client means by name or, where the version has ids, by id.
func (h *Handlers) find(name string, id protocol.UUID, partition int32) (*replica.Partition, error) {
	image := h.image()
	var t *metadata.Topic
	if !id.IsZero() {
		if t = image.Topic(id); t == nil {
			return nil, protocol.ErrUnknownTopicId
		}
	} else if t = image.Topics.At(name); t == nil {
		return nil, protocol.ErrUnknownTopicOrPartition
	}
	if _, ok := t.Partitions.Get(partition); !ok {
		return nil, protocol.ErrUnknownTopicOrPartition
	}
	p := h.replicas.Find(t.ID, partition)
	if p == nil {
		return nil, protocol.ErrNotLeaderOrFollower
	}
	return p, nil
}
