package main

import (
	"github.com/spf13/pflag"

	"barnabas/core/protocol"
)

const topicListHelp = `Exit codes: 0 done, 1 the broker could not be asked, 2 wrong usage.
`

const topicDescribeHelp = `Without a topic, all are described. START is the first offset that is there, END the one after the last that consumers see.
At the end stands what each broker promises for the records it acknowledges, on the disk it has.

With --output json there is one object a line, first the topics and then the brokers.

Exit codes: 0 done, 1 the broker could not be asked or a topic is not there, 2 wrong usage.
`

func prepareTopicList(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic list"
	var f clusterFlags
	f.declare(p, flags)
	return func() int {
		if err := f.check(); err != nil {
			return p.misused(path, err)
		}
		topics, err := p.listTopics(f.addresses())
		if err != nil {
			return p.failed(path, err)
		}
		return p.print(showList(topics, f.json()))
	}
}

func prepareTopicDescribe(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic describe"
	var f clusterFlags
	f.declare(p, flags)
	return func() int {
		if err := f.check(); err != nil {
			return p.misused(path, err)
		}
		d, err := p.describeTopics(f.addresses(), flags.Args())
		if err != nil {
			return p.failed(path, err)
		}
		return p.print(d.show(f.json()))
	}
}

func (p *program) listTopics(addresses []string) ([]protocol.MetadataResponseTopic, error) {
	a, err := p.connect(addresses...)
	if err != nil {
		return nil, err
	}
	defer a.close()
	metadata, err := a.metadata(nil)
	if err != nil {
		return nil, err
	}
	return metadata.Topics, nil
}

// metadata asks for these topics, or for all; none is made.
func (a *asker) metadata(names []string) (*protocol.MetadataResponse, error) {
	request := protocol.NewMetadataRequest()
	request.Topics, request.AllowAutoTopicCreation = nil, false
	for _, name := range names {
		request.Topics = append(request.Topics, protocol.MetadataRequestTopic{Name: protocol.String(name)})
	}
	answer, err := a.ask(request)
	if err != nil {
		return nil, err
	}
	return answer.(*protocol.MetadataResponse), nil
}
