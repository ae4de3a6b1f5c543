package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// altering asks for changes of a topic of its own.
func (v *versions) altering(key, version int16) {
	v.t.Helper()
	name := fmt.Sprint("altered-", key, "-", version)
	v.describe(name) // makes it
	value := "100000"
	switch key {
	case 33:
		request := kmsg.NewPtrAlterConfigsRequest()
		request.Resources = []kmsg.AlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name,
			Configs: []kmsg.AlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}},
		}}
		answer := v.raw.ask(version, request).(*kmsg.AlterConfigsResponse)
		v.want(answer.Resources[0].ErrorCode, errorNone, answer)
	case 37:
		request := kmsg.NewPtrCreatePartitionsRequest()
		request.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: name, Count: 3}}
		request.TimeoutMillis = 1000
		answer := v.raw.ask(version, request).(*kmsg.CreatePartitionsResponse)
		v.want(answer.Topics[0].ErrorCode, errorNone, answer)
		if n := len(v.describe(name).Partitions); n != 3 {
			v.t.Errorf("%d partitions", n)
		}
	case 44:
		request := kmsg.NewPtrIncrementalAlterConfigsRequest()
		request.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name,
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}},
		}}
		answer := v.raw.ask(version, request).(*kmsg.IncrementalAlterConfigsResponse)
		v.want(answer.Resources[0].ErrorCode, errorNone, answer)
	}
}
