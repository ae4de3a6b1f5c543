package api

import (
	"fmt"
	"slices"
	"strconv"

	"barnabas/core/config"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// describeConfigs shows the settings of topics and of this broker, and where each comes from.
//
// Key 32, versions 1–4 (flexible from 4).
//
//   - A broker is asked for its own settings alone, or for those that all brokers were given (an empty name).
//   - Synonyms are all places a value could come from: the topic, the broker or all brokers by the metadata, the broker's
//     start, the default. The first is where it does.
//   - Of a broker, what does not change while it runs is read-only.
//   - The documentation of durability says what it means on the disk that this broker has. No request of Kafka's does.
//   - A resource that is named twice is INVALID_REQUEST the second time: an answer is long.
//   - Topics' settings that have no effect here are shown all the same, as Kafka would.
//
// Not here yet: groups, loggers and client metrics, which are INVALID_REQUEST.
func (h *Handlers) describeConfigs(r *wire.Request, m *protocol.DescribeConfigsRequest) {
	answer := &protocol.DescribeConfigsResponse{Results: make([]protocol.DescribeConfigsResult, len(m.Resources))}
	named := make(map[metadata.Resource]bool)
	for i := range m.Resources {
		asked, row := &m.Resources[i], &answer.Results[i]
		row.ResourceType, row.ResourceName = asked.ResourceType, asked.ResourceName
		key := metadata.ResourceOf(asked.ResourceType, asked.ResourceName)
		all, err := h.settingsOf(asked)
		if named[key] {
			err = fmt.Errorf("%w: resource %q is named twice in this request", protocol.ErrInvalidRequest, asked.ResourceName)
		}
		if named[key] = true; err != nil {
			row.ErrorCode, row.ErrorMessage = codeOf(err)
			continue
		}
		for k := range all {
			if len(asked.ConfigurationKeys) == 0 || slices.Contains(asked.ConfigurationKeys, all[k].Name) {
				row.Configs = append(row.Configs, h.describeSetting(m, &all[k], asked.ResourceType == metadata.ResourceBroker))
			}
		}
	}
	r.Answer(answer, nil)
}

// settingsOf returns the settings of a topic or of this broker.
func (h *Handlers) settingsOf(asked *protocol.DescribeConfigsResource) ([]config.Description, error) {
	switch asked.ResourceType {
	case metadata.ResourceTopic:
		if _, known := h.image().Topics.Get(asked.ResourceName); !known {
			return nil, protocol.ErrUnknownTopicOrPartition
		}
		return h.topicSettings(asked.ResourceName).Describe(), nil
	case metadata.ResourceBroker:
		self := strconv.Itoa(int(h.options.Self))
		switch asked.ResourceName {
		case self:
			return h.options.Settings().Describe(), nil
		case "":
			return h.options.Settings().DescribeDefaults(), nil
		}
		return nil, fmt.Errorf("%w: this is broker %s, and %q was asked for", protocol.ErrInvalidRequest, self, asked.ResourceName)
	}
	return nil, fmt.Errorf("%w: resource type %d is not served, only 2 (topic) and 4 (broker)",
		protocol.ErrInvalidRequest, asked.ResourceType)
}

// describeSetting makes the row of one setting.
func (h *Handlers) describeSetting(m *protocol.DescribeConfigsRequest, d *config.Description, broker bool) protocol.DescribeConfigsResourceResult {
	row := protocol.DescribeConfigsResourceResult{
		Name: d.Name, Value: protocol.NullString{Value: d.Value, Valid: d.HasValue}, ReadOnly: broker && !config.IsDynamic(d.Name),
		ConfigSource: int8(d.Source), ConfigType: typeNumber(d.Type),
	}
	if m.IncludeSynonyms {
		for _, s := range d.Synonyms {
			row.Synonyms = append(row.Synonyms, protocol.DescribeConfigsSynonym{
				Name: s.Name, Value: protocol.String(s.Value), Source: int8(s.Source),
			})
		}
	}
	if m.IncludeDocumentation && d.Meaning != "" {
		row.Documentation = protocol.String(d.Meaning)
		if d.Name == "durability" {
			row.Documentation = protocol.String(h.options.Promise)
		}
	}
	return row
}

// typeNumber returns Kafka's number of a setting's type.
func typeNumber(t config.Type) int8 {
	switch t {
	case config.Bool:
		return 1
	case config.Int:
		return 3
	case config.Long, config.Duration:
		return 5
	case config.Ratio:
		return 6
	case config.List:
		return 7
	case config.String, config.Enum:
	}
	return 2
}

// topicSettings returns the settings of the topic.
func (h *Handlers) topicSettings(topic string) config.TopicSettings {
	return h.options.Settings().OfTopic(func(name string) (string, bool) { return h.image().Setting(topic, name) })
}
