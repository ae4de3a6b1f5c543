package controller

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"barnabas/core/config"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// The operations of IncrementalAlterConfigs (KIP-339).
const (
	operationSet      int8 = 0
	operationDelete   int8 = 1
	operationAppend   int8 = 2
	operationSubtract int8 = 3
)

// alteration is what is asked for one setting.
type alteration struct {
	name      string
	operation int8
	value     protocol.NullString
}

// resource names what is altered.
type resource struct {
	kind int8
	name string
}

func (r resource) String() string {
	switch {
	case r.kind == metadata.ResourceTopic:
		return fmt.Sprintf("topic %q", r.name)
	case r.kind == metadata.ResourceBroker && r.name == "":
		return "all brokers"
	case r.kind == metadata.ResourceBroker:
		return "broker " + r.name
	}
	return fmt.Sprintf("resource %q of type %d", r.name, r.kind)
}

// asked is what a request asks for one resource.
type asked struct {
	of          resource
	alterations []alteration
}

// IncrementalAlterConfigs changes some settings of topics and brokers: for each resource all that is asked, or nothing.
func (c *Controller) IncrementalAlterConfigs(m *protocol.IncrementalAlterConfigsRequest) (
	records []protocol.Record, answer *protocol.IncrementalAlterConfigsResponse,
) {
	all := make([]asked, len(m.Resources))
	for i := range m.Resources {
		r := &m.Resources[i]
		all[i].of = resource{r.ResourceType, r.ResourceName}
		for _, a := range r.Configs {
			all[i].alterations = append(all[i].alterations, alteration{a.Name, a.ConfigOperation, a.Value})
		}
	}
	answer = protocol.NewIncrementalAlterConfigsResponse()
	records = c.alterAll(all, m.ValidateOnly, func(of resource, code protocol.Error, text protocol.NullString) {
		answer.Responses = append(answer.Responses, protocol.IncrementalAlterConfigsResourceResponse{
			ResourceType: of.kind, ResourceName: of.name, ErrorCode: code, ErrorMessage: text,
		})
	})
	return records, answer
}

// AlterConfigs replaces all settings of topics and brokers that they have of their own: those that are not named are
// deleted.
func (c *Controller) AlterConfigs(m *protocol.AlterConfigsRequest) (records []protocol.Record, answer *protocol.AlterConfigsResponse) {
	all := make([]asked, len(m.Resources))
	for i := range m.Resources {
		r := &m.Resources[i]
		all[i].of = resource{r.ResourceType, r.ResourceName}
		kept := make(map[string]bool)
		for _, a := range r.Configs {
			all[i].alterations = append(all[i].alterations, alteration{a.Name, operationSet, a.Value})
			kept[a.Name] = true
		}
		if given, ok := c.image.Configs.Get(metadata.ResourceOf(r.ResourceType, r.ResourceName)); ok {
			for name := range given.Values.All {
				if !kept[name] {
					all[i].alterations = append(all[i].alterations, alteration{name: name, operation: operationDelete})
				}
			}
		}
	}
	answer = protocol.NewAlterConfigsResponse()
	records = c.alterAll(all, m.ValidateOnly, func(of resource, code protocol.Error, text protocol.NullString) {
		answer.Responses = append(answer.Responses, protocol.AlterConfigsResourceResponse{
			ResourceType: of.kind, ResourceName: of.name, ErrorCode: code, ErrorMessage: text,
		})
	})
	return records, answer
}

// alterAll decides about each resource and answers it; the records are those of all that may be altered, or none when this is
// only asked.
func (c *Controller) alterAll(
	all []asked, validateOnly bool, answer func(of resource, code protocol.Error, text protocol.NullString),
) (records []protocol.Record) {
	named := make(map[resource]int)
	for i := range all {
		named[all[i].of]++
	}
	for _, a := range all {
		changes, err := c.alter(a.of, a.alterations, named[a.of] > 1)
		if err != nil {
			answer(a.of, err.code, protocol.String(err.Error()))
			continue
		}
		answer(a.of, protocol.ErrNone, protocol.NullString{})
		if !validateOnly {
			records = append(records, changes...)
		}
	}
	return records
}

// alter returns the records that change a resource's settings; what changes nothing has none.
func (c *Controller) alter(of resource, alterations []alteration, twice bool) ([]protocol.Record, *refusal) {
	if twice {
		return nil, refuse(protocol.ErrInvalidRequest, "%s is named twice in this request", of)
	}
	if err := c.checkResource(of); err != nil {
		return nil, err
	}
	var records []protocol.Record
	seen := make(map[string]bool)
	for _, a := range alterations {
		if seen[a.name] {
			return nil, refuse(protocol.ErrInvalidRequest, "%s: setting %q is named twice", of, a.name)
		}
		seen[a.name] = true
		value, err := c.altered(of, a)
		if err != nil {
			return nil, err
		}
		var old protocol.NullString
		old.Value, old.Valid = c.given(of, a.name)
		if value != old {
			records = append(records, at(0, &protocol.ConfigRecord{
				ResourceType: of.kind, ResourceName: of.name, Name: a.name, Value: value,
			}))
		}
	}
	return records, nil
}

func (c *Controller) checkResource(of resource) *refusal {
	switch of.kind {
	case metadata.ResourceTopic:
		if of.name == "" {
			return refuse(protocol.ErrInvalidRequest, "there are no settings of topics in general: those are the brokers'")
		}
		if _, ok := c.image.Topics.Get(of.name); !ok {
			return refuse(protocol.ErrUnknownTopicOrPartition, "there is no topic %q", of.name)
		}
		return nil
	case metadata.ResourceBroker:
		if of.name == "" {
			return nil
		}
		id, err := strconv.ParseInt(of.name, 10, 32)
		if err == nil {
			_, known := c.image.Brokers.Get(int32(id))
			if known && strconv.Itoa(int(id)) == of.name {
				return nil
			}
		}
		return refuse(protocol.ErrInvalidRequest, "there is no broker %q; give its id, or an empty name for all brokers", of.name)
	}
	return refuse(protocol.ErrInvalidRequest, "settings of resource type %d can't be altered here, only of 2 (topic) and 4 (broker)", of.kind)
}

// given returns what the resource itself was given.
func (c *Controller) given(of resource, name string) (string, bool) {
	given, ok := c.image.Configs.Get(metadata.ResourceOf(of.kind, of.name))
	if !ok {
		return "", false
	}
	return given.Values.Get(name)
}

// altered returns the value that an alteration leads to; null: none of its own.
func (c *Controller) altered(of resource, a alteration) (protocol.NullString, *refusal) {
	if a.operation == operationDelete {
		return protocol.NullString{}, c.checkName(of, a.name)
	}
	if !a.value.Valid {
		return a.value, refuse(protocol.ErrInvalidRequest, "%s: setting %q has no value; to take it back, delete it", of, a.name)
	}
	if err := c.checkName(of, a.name); err != nil {
		return a.value, err
	}
	value := a.value.Value
	switch a.operation {
	case operationSet:
	case operationAppend, operationSubtract:
		if !config.IsList(a.name, of.kind == metadata.ResourceTopic) {
			return a.value, refuse(protocol.ErrInvalidConfig, "%s: nothing can be appended to %s or subtracted from it: it is no list", of, a.name)
		}
		value = change(c.words(of, a.name), strings.Split(value, ","), a.operation == operationAppend)
	default:
		return a.value, refuse(protocol.ErrInvalidRequest, "%s: there is no operation %d; take 0 (set), 1 (delete), 2 (append) or 3 (subtract)",
			of, a.operation)
	}
	validate := c.options.Settings.ValidateBrokerConfig
	if of.kind == metadata.ResourceTopic {
		validate = c.options.ValidateConfig
	}
	if err := validate(a.name, value); err != nil {
		return a.value, refuse(protocol.ErrInvalidConfig, "%s: %v", of, err)
	}
	return protocol.String(value), nil
}

// checkName refuses settings that can't be altered. What the resource has, though nobody knows it, can still be deleted.
func (c *Controller) checkName(of resource, name string) *refusal {
	if _, ok := c.given(of, name); ok {
		return nil
	}
	if of.kind == metadata.ResourceTopic {
		if _, ok := config.FindTopic(name); !ok {
			return refuse(protocol.ErrInvalidConfig, "%s: %v", of, config.ValidateTopicConfig(name, ""))
		}
		return nil
	}
	if !config.IsKnown(name) {
		return refuse(protocol.ErrInvalidConfig, "%s: %v", of, c.options.Settings.ValidateBrokerConfig(name, ""))
	}
	switch {
	case config.IsDynamic(name):
		return nil
	case !config.HasEffect(name):
		return refuse(protocol.ErrInvalidRequest, "%s: %s has no effect here, so it is not kept", of, name)
	default:
		return refuse(protocol.ErrInvalidRequest, "%s: %s does not change while a broker runs; set it where the broker is started, and start it anew",
			of, name)
	}
}

// words returns the words that a list holds now, whoever gave them.
func (c *Controller) words(of resource, name string) []string {
	self := of.name
	if of.kind == metadata.ResourceTopic {
		self = ""
	}
	settings := c.options.Settings.With(
		func(name string) (string, bool) { return c.image.BrokerSetting(self, name) },
		func(name string) (string, bool) { return c.image.BrokerSetting("", name) },
	)
	if of.kind == metadata.ResourceTopic {
		return settings.OfTopic(func(name string) (string, bool) { return c.image.Setting(of.name, name) }).List(name)
	}
	return settings.Words(name)
}

// change adds the words to a list, those that it does not have, or takes them away.
func change(list, words []string, add bool) string {
	for _, word := range words {
		word = strings.TrimSpace(word)
		i := slices.Index(list, word)
		switch {
		case add && i < 0:
			list = append(list, word)
		case !add && i >= 0:
			list = slices.Delete(list, i, i+1)
		}
	}
	return strings.Join(list, ",")
}
