package main

import (
	"github.com/spf13/pflag"

	"barnabas/core/config"
	"barnabas/core/protocol"
)

const topicListHelp = `Exit codes: 0 done, 1 the broker could not be asked, 2 wrong usage.
`

const topicDescribeHelp = `Without a topic, all are described. START is the first offset that is there, END the one after the last that consumers see.
At the end stands what each broker promises for the records it acknowledges, on the disk it has.

With --output json there is one object a line, first the topics and then the brokers.

Exit codes: 0 done, 1 the broker could not be asked or a topic is not there, 2 wrong usage.
`

// topicFlags are what both commands are given.
type topicFlags struct {
	broker string
	output string
}

func (f *topicFlags) declare(flags *pflag.FlagSet) {
	flags.StringVarP(&f.broker, "broker", "b", "localhost:9092", "a broker to ask, `HOST:PORT`")
	flags.StringVar(&f.output, "output", "table", "table or json")
}

// check says what is wrong with the flags.
func (f *topicFlags) check() error {
	if err := config.CheckAddress(f.broker); err != nil {
		return usagef("--broker: %v", err)
	}
	return oneOf("output", f.output, "table", "json")
}

func prepareTopicList(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic list"
	var f topicFlags
	f.declare(flags)
	return func() int {
		if err := f.check(); err != nil {
			return p.misused(path, err)
		}
		topics, err := p.listTopics(f.broker)
		if err != nil {
			return p.failed(path, err)
		}
		return p.print(showList(topics, f.output == "json"))
	}
}

func prepareTopicDescribe(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic describe"
	var f topicFlags
	f.declare(flags)
	return func() int {
		if err := f.check(); err != nil {
			return p.misused(path, err)
		}
		d, err := p.describeTopics(f.broker, flags.Args())
		if err != nil {
			return p.failed(path, err)
		}
		return p.print(d.show(f.output == "json"))
	}
}

func (p *program) listTopics(address string) ([]protocol.MetadataResponseTopic, error) {
	a, err := p.connect(address)
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
