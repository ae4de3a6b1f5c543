package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"barnabas/core/config"
	"barnabas/core/protocol"
)

const topicCreateHelp = `On stdout stand the topics that were made, as topic list shows them. The settings a topic can have are Kafka's; those with
an effect here are listed by: barnabas help settings

Exit codes: 0 all were made, 1 at least one was not (stderr says which and why), 2 wrong usage.
`

const topicAlterHelp = `Partitions can be added, never taken away. Records stay where they are, so that keys go to other partitions than before.
--set gives the topic a setting of its own, --unset takes it away, so that the broker's holds again.

Exit codes: 0 all were changed, 1 at least one was not (stderr says which and why), 2 wrong usage.
`

const topicDeleteHelp = `On a terminal it asks first. Elsewhere it wants --yes.

Exit codes: 0 all were deleted, 1 at least one was not (stderr says which and why), 2 wrong usage.
`

func prepareTopicCreate(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic create"
	var f clusterFlags
	f.declare(p, flags)
	partitions := flags.Int32P("partitions", "p", -1, "how many `partitions` (default: the broker's num.partitions)")
	replicas := flags.Int16P("replication-factor", "r", -1, "how many `replicas` of each (default: the broker's default.replication.factor)")
	set := flags.StringArrayP("config", "c", nil, "a setting of the topic as `key=value`, may be repeated")
	ifNot := flags.Bool("if-not-exists", false, "a topic that is there already is no failure")
	dry := flags.Bool("dry-run", false, "ask whether they could be made, and make none")
	return func() int {
		settings, err := topicSettings(*set)
		if err = errors.Join(f.check(), someTopics(flags), err); err != nil {
			return p.misused(path, err)
		}
		if *partitions == 0 || *partitions < -1 || *replicas == 0 || *replicas < -1 {
			return p.misused(path, usagef("--partitions and --replication-factor are 1 or more; leave them away for the broker's own"))
		}
		s, err := p.open(&f)
		if err != nil {
			return p.failed(path, err)
		}
		defer s.close()
		create := s.admin.CreateTopics
		if *dry {
			create = s.admin.ValidateCreateTopics
		}
		answer, err := create(s.ctx, *partitions, *replicas, settings, flags.Args()...)
		if err != nil {
			return p.failed(path, err)
		}
		return p.showCreated(path, &f, flags.Args(), answer, *ifNot)
	}
}

func (p *program) showCreated(path string, f *clusterFlags, names []string, answer kadm.CreateTopicResponses, ifNot bool) int {
	code := exitDone
	var made []protocol.MetadataResponseTopic
	for _, name := range names {
		row, found := answer[name]
		switch {
		case !found:
			code = p.failed(path, fmt.Errorf("topic %s: the broker said nothing of it", name))
		case ifNot && errors.Is(row.Err, kerr.TopicAlreadyExists):
			p.say("topic %s is there already", name)
		case row.Err != nil:
			code = p.failed(path, fmt.Errorf("topic %s: %w", name, refusal(row.Err, row.ErrMessage)))
		default:
			made = append(made, createdTopic(row))
		}
	}
	if len(made) == 0 {
		return code
	}
	return max(code, p.print(showList(made, f.json())))
}

// createdTopic is the topic as Metadata would describe it.
func createdTopic(row kadm.CreateTopicResponse) protocol.MetadataResponseTopic {
	partitions := make([]protocol.MetadataResponsePartition, max(row.NumPartitions, 0))
	for i := range partitions {
		partitions[i].ReplicaNodes = make([]int32, max(row.ReplicationFactor, 0))
	}
	return protocol.MetadataResponseTopic{Name: protocol.String(row.Topic), TopicId: protocol.UUID(row.ID), Partitions: partitions}
}

// topicSettings reads --config flags and checks the names: a broker's answer comes later and knows no nearest match.
func topicSettings(words []string) (map[string]*string, error) {
	settings := make(map[string]*string)
	for _, word := range words {
		name, value, found := strings.Cut(word, "=")
		if !found {
			return nil, usagef("%q is no setting; write key=value", word)
		}
		if err := knownTopicSetting(name); err != nil {
			return nil, err
		}
		settings[name] = &value
	}
	return settings, nil
}

func knownTopicSetting(name string) error {
	if _, found := config.FindTopic(name); found {
		return nil
	}
	var all []string
	for _, row := range config.TopicRows() {
		all = append(all, row.Name)
	}
	return usagef("there is no topic setting %s; the nearest is %s", name, config.Nearest(name, all))
}

// someTopics wants at least one topic among the words.
func someTopics(flags *pflag.FlagSet) error {
	if flags.NArg() == 0 {
		return usagef("name a topic")
	}
	return nil
}

func prepareTopicAlter(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic alter"
	var f clusterFlags
	f.declareBrokers(p, flags)
	partitions := flags.Int32P("partitions", "p", 0, "how many `partitions` the topic has afterwards")
	var change configChange
	change.declare(flags)
	return func() int {
		configs, err := change.alterations(knownTopicSetting)
		if err = errors.Join(f.check(), someTopics(flags), err); err != nil {
			return p.misused(path, err)
		}
		if *partitions < 0 || *partitions == 0 && len(configs) == 0 {
			return p.misused(path, usagef("say what to change: --partitions N, --set key=value or --unset key"))
		}
		s, err := p.open(&f)
		if err != nil {
			return p.failed(path, err)
		}
		defer s.close()
		code := exitDone
		if len(configs) > 0 {
			code = p.alterConfigs(path, s, topicResource, configs, change.dry, flags.Args())
		}
		if *partitions > 0 && code == exitDone {
			code = p.addPartitions(path, s, int(*partitions), change.dry, flags.Args())
		}
		return code
	}
}

func (p *program) addPartitions(path string, s *session, partitions int, dry bool, topics []string) int {
	update := s.admin.UpdatePartitions
	if dry {
		update = s.admin.ValidateUpdatePartitions
	}
	answer, err := update(s.ctx, partitions, topics...)
	if err != nil {
		return p.failed(path, p.unserved(err, "CreatePartitions"))
	}
	code := exitDone
	for _, row := range answer.Sorted() {
		if row.Err != nil {
			code = p.failed(path, fmt.Errorf("topic %s: %w", row.Topic, refusal(row.Err, row.ErrMessage)))
		}
	}
	return code
}

// unserved says it in our words when a client gave up because the broker does not serve a request.
func (p *program) unserved(err error, request string) error {
	if text := err.Error(); strings.Contains(text, "broker is too old") || strings.Contains(text, "request key is unknown") {
		return fmt.Errorf("the broker does not serve %s", request)
	}
	return err
}

func prepareTopicDelete(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas topic delete"
	var f clusterFlags
	f.declareBrokers(p, flags)
	yes := flags.BoolP("yes", "y", false, "do not ask")
	ifThere := flags.Bool("if-exists", false, "a topic that is not there is no failure")
	return func() int {
		if err := errors.Join(f.check(), someTopics(flags)); err != nil {
			return p.misused(path, err)
		}
		topics := slices.Compact(slices.Sorted(slices.Values(flags.Args())))
		if err := p.confirm(*yes, "delete "+strings.Join(topics, ", ")+" and all their records?"); err != nil {
			return p.misused(path, err)
		}
		s, err := p.open(&f)
		if err != nil {
			return p.failed(path, err)
		}
		defer s.close()
		answer, err := s.admin.DeleteTopics(s.ctx, topics...)
		if err != nil {
			return p.failed(path, err)
		}
		code := exitDone
		for _, name := range topics {
			switch row, found := answer[name]; {
			case !found:
				code = p.failed(path, fmt.Errorf("topic %s: the broker said nothing of it", name))
			case *ifThere && errors.Is(row.Err, kerr.UnknownTopicOrPartition):
				p.say("there is no topic %s", name)
			case row.Err != nil:
				code = p.failed(path, fmt.Errorf("topic %s: %w", name, refusal(row.Err, row.ErrMessage)))
			}
		}
		return code
	}
}

// confirm asks the one who sits at the terminal. Without one, or without the right answer, the deed is not done.
func (p *program) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !p.asks {
		return usagef("nobody can be asked here: add --yes to %s", strings.TrimSuffix(question, "?"))
	}
	fmt.Fprintf(p.stderr, "%s type yes: ", question)
	line, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) != "yes" {
		return usagef("not confirmed, nothing was done")
	}
	return nil
}
