package api

import (
	"fmt"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// The types of endpoints.
const (
	endpointBrokers     int8 = 1
	endpointControllers int8 = 2
)

// describeCluster tells the cluster's id, its controller, and the brokers.
//
// Key 60, versions 0–2 (flexible).
//
//   - Fenced brokers are left out unless version 2 asks for them.
//   - Here brokers answer: who wants controllers is told MISMATCHED_ENDPOINT_TYPE (KIP-919).
func (h *Handlers) describeCluster(r *wire.Request, m *protocol.DescribeClusterRequest) {
	answer := protocol.NewDescribeClusterResponse()
	answer.EndpointType = m.EndpointType
	switch m.EndpointType {
	case endpointBrokers:
		h.fillCluster(r, m, answer)
	case endpointControllers:
		answer.EndpointType = endpointBrokers
		answer.ErrorCode, answer.ErrorMessage = codeOf(fmt.Errorf("%w: controllers were asked for, and this listener is a broker's",
			protocol.ErrMismatchedEndpointType))
	default:
		answer.EndpointType = endpointBrokers
		answer.ErrorCode, answer.ErrorMessage = codeOf(fmt.Errorf("%w: there is no type %d, only 1 (brokers) and 2 (controllers)",
			protocol.ErrUnsupportedEndpointType, m.EndpointType))
	}
	r.Answer(answer, nil)
}

func (h *Handlers) fillCluster(r *wire.Request, m *protocol.DescribeClusterRequest, answer *protocol.DescribeClusterResponse) {
	answer.ClusterId, answer.ControllerId = h.options.ClusterID, h.options.Self
	for id, b := range h.image().Brokers.All {
		if b.Fenced && !m.IncludeFencedBrokers {
			continue
		}
		host, port := h.addressOf(r, b)
		answer.Brokers = append(answer.Brokers, protocol.DescribeClusterBroker{
			BrokerId: id, Host: host, Port: port, Rack: b.Rack, IsFenced: b.Fenced,
		})
	}
	if m.IncludeClusterAuthorizedOperations {
		answer.ClusterAuthorizedOperations = clusterOperations
	}
}

// addressOf returns where a client reaches the broker: this one at the address configured, or the one it came in on.
func (h *Handlers) addressOf(r *wire.Request, b *metadata.Broker) (host string, port int32) {
	if b.ID == h.options.Self {
		return h.options.Advertised(r.Connection().LocalAddress())
	}
	return endpoint(b)
}

// Operations are told as a set of bits, by the numbers that Kafka has for them. Nobody is refused anything as long as there
// are no ACLs, so that these are all the operations there are.
const (
	operationRead            = 1 << 3
	operationWrite           = 1 << 4
	operationCreate          = 1 << 5
	operationDelete          = 1 << 6
	operationAlter           = 1 << 7
	operationDescribe        = 1 << 8
	operationClusterAction   = 1 << 9
	operationDescribeConfigs = 1 << 10
	operationAlterConfigs    = 1 << 11
	operationIdempotentWrite = 1 << 12

	clusterOperations = operationCreate | operationAlter | operationDescribe | operationClusterAction |
		operationDescribeConfigs | operationAlterConfigs | operationIdempotentWrite
	topicOperations = operationRead | operationWrite | operationCreate | operationDelete | operationAlter |
		operationDescribe | operationDescribeConfigs | operationAlterConfigs
)
