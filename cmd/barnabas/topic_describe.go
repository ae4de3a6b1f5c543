package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// description is what there is to say of topics and of the brokers that hold them.
type description struct {
	topics  []topicView
	brokers []brokerView
}

type topicView struct {
	Topic      string            `json:"topic"`
	ID         string            `json:"id"`
	Settings   map[string]string `json:"settings"` // that the topic was given itself
	Partitions []*partitionView  `json:"partitions"`
}

type partitionView struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"` // -1: none
	Replicas  []int32 `json:"replicas"`
	ISR       []int32 `json:"isr"`
	Start     int64   `json:"start"` // -1: not known
	End       int64   `json:"end"`
	Error     string  `json:"error,omitempty"`
}

type brokerView struct {
	Broker     int32  `json:"broker"`
	Address    string `json:"address"`
	Durability string `json:"durability,omitempty"`
	Promise    string `json:"promise,omitempty"`
	Error      string `json:"error,omitempty"`
}

// describeTopics asks a broker for the topics, or for all, and every broker for what it alone knows. A broker that can't
// be asked, other than the first, is told of in the description.
func (p *program) describeTopics(addresses []string, names []string) (*description, error) {
	first, err := p.connect(addresses...)
	if err != nil {
		return nil, err
	}
	defer first.close()
	image, err := first.metadata(names)
	if err != nil {
		return nil, err
	}
	d := &description{}
	for i := range image.Topics {
		if t := &image.Topics[i]; t.ErrorCode != protocol.ErrNone {
			return nil, fmt.Errorf("topic %s: %w", t.Name.Value, t.ErrorCode)
		}
		d.topics = append(d.topics, viewOf(&image.Topics[i]))
	}
	if err := first.addSettings(d.topics); err != nil {
		return nil, err
	}
	for _, b := range image.Brokers {
		d.brokers = append(d.brokers, p.askBroker(b, d.topics))
	}
	return d, nil
}

func viewOf(t *protocol.MetadataResponseTopic) topicView {
	view := topicView{Topic: t.Name.Value, ID: t.TopicId.String()}
	for i := range t.Partitions {
		from := &t.Partitions[i]
		view.Partitions = append(view.Partitions, &partitionView{
			Partition: from.PartitionIndex, Leader: from.LeaderId, Start: -1, End: -1,
			Replicas: append([]int32{}, from.ReplicaNodes...), ISR: append([]int32{}, from.IsrNodes...), // [] in JSON, not null
		})
	}
	slices.SortFunc(view.Partitions, func(a, b *partitionView) int { return int(a.Partition - b.Partition) })
	return view
}

// addSettings asks for what the topics were given themselves.
func (a *asker) addSettings(topics []topicView) error {
	request := protocol.NewDescribeConfigsRequest()
	for i := range topics {
		request.Resources = append(request.Resources, protocol.DescribeConfigsResource{
			ResourceType: metadata.ResourceTopic, ResourceName: topics[i].Topic,
		})
	}
	answer, err := a.ask(request)
	if err != nil {
		return err
	}
	results := answer.(*protocol.DescribeConfigsResponse).Results
	for i := range min(len(topics), len(results)) {
		topics[i].Settings = make(map[string]string)
		for _, c := range results[i].Configs {
			if c.ConfigSource == 1 {
				topics[i].Settings[c.Name] = c.Value.Value
			}
		}
	}
	return nil
}

// askBroker asks one broker what it promises, and for the offsets of the partitions it leads.
func (p *program) askBroker(b protocol.MetadataResponseBroker, topics []topicView) brokerView {
	view := brokerView{Broker: b.NodeId, Address: net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))}
	a, err := p.connect(view.Address)
	if err == nil {
		defer a.close()
		err = a.addPromise(&view)
	}
	if err == nil {
		err = a.addOffsets(topics, b.NodeId)
	}
	if err != nil {
		view.Error = err.Error()
	}
	return view
}

// addPromise asks what durability means there. Kafka's brokers have no such setting.
func (a *asker) addPromise(view *brokerView) error {
	request := protocol.NewDescribeConfigsRequest()
	request.IncludeDocumentation = true
	request.Resources = []protocol.DescribeConfigsResource{{
		ResourceType: metadata.ResourceBroker, ResourceName: strconv.Itoa(int(view.Broker)), ConfigurationKeys: []string{"durability"},
	}}
	answer, err := a.ask(request)
	if err != nil {
		return err
	}
	for _, result := range answer.(*protocol.DescribeConfigsResponse).Results {
		for _, c := range result.Configs {
			view.Durability, view.Promise = c.Value.Value, c.Documentation.Value
		}
	}
	return nil
}

// The timestamps of ListOffsets that stand for the ends.
const (
	timestampLatest   = -1
	timestampEarliest = -2
)

// addOffsets asks for both ends of every partition that the broker leads.
func (a *asker) addOffsets(topics []topicView, leader int32) error {
	for _, timestamp := range []int64{timestampEarliest, timestampLatest} {
		request, led := offsetsRequest(topics, leader, timestamp)
		if len(request.Topics) == 0 {
			return nil
		}
		answer, err := a.ask(request)
		if err != nil {
			return err
		}
		for _, topic := range answer.(*protocol.ListOffsetsResponse).Topics {
			for _, row := range topic.Partitions {
				view := led[partitionOf{topic.Name, row.PartitionIndex}]
				switch {
				case view == nil:
				case row.ErrorCode != protocol.ErrNone:
					view.Error = row.ErrorCode.Error()
				case timestamp == timestampEarliest:
					view.Start = row.Offset
				default:
					view.End = row.Offset
				}
			}
		}
	}
	return nil
}

type partitionOf struct {
	topic     string
	partition int32
}

// offsetsRequest asks for one end of the partitions that the broker leads, and returns these too.
func offsetsRequest(topics []topicView, leader int32, timestamp int64) (*protocol.ListOffsetsRequest, map[partitionOf]*partitionView) {
	request := protocol.NewListOffsetsRequest()
	request.ReplicaId, request.TimeoutMs = -1, int32(askPatience.Milliseconds())
	led := make(map[partitionOf]*partitionView)
	for i := range topics {
		of := protocol.ListOffsetsTopic{Name: topics[i].Topic}
		for _, view := range topics[i].Partitions {
			if view.Leader != leader {
				continue
			}
			row := protocol.NewListOffsetsPartition()
			row.PartitionIndex, row.Timestamp = view.Partition, timestamp
			of.Partitions = append(of.Partitions, row)
			led[partitionOf{of.Name, view.Partition}] = view
		}
		if len(of.Partitions) > 0 {
			request.Topics = append(request.Topics, of)
		}
	}
	return request, led
}

// settingsText is the settings in a line.
func (t *topicView) settingsText() string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(t.Settings)) {
		text += "  " + name + "=" + t.Settings[name]
	}
	return text
}
