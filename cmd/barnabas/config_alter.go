package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
)

// configChange is what the flags say about settings to change.
type configChange struct {
	set, unset, appended, subtracted []string
	dry                              bool
}

func (c *configChange) declare(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&c.set, "set", "s", nil, "give a setting a value, `key=value`, may be repeated")
	flags.StringArrayVar(&c.unset, "unset", nil, "take a setting away, so that the default holds: its `key`, may be repeated")
	flags.StringArrayVar(&c.appended, "append", nil, "add to a setting that is a list, `key=value`")
	flags.StringArrayVar(&c.subtracted, "subtract", nil, "take out of a setting that is a list, `key=value`")
	flags.BoolVar(&c.dry, "dry-run", false, "ask whether it could be done, and change nothing")
}

// alterations reads the flags. known says what is wrong with a name.
func (c *configChange) alterations(known func(name string) error) ([]kadm.AlterConfig, error) {
	var all []kadm.AlterConfig
	for _, group := range []struct {
		flag  string
		words []string
		op    kadm.IncrementalOp
	}{
		{"set", c.set, kadm.SetConfig},
		{"append", c.appended, kadm.AppendConfig},
		{"subtract", c.subtracted, kadm.SubtractConfig},
	} {
		for _, word := range group.words {
			name, value, found := strings.Cut(word, "=")
			if !found {
				return nil, usagef("--%s %q is no setting; write key=value", group.flag, word)
			}
			if err := known(name); err != nil {
				return nil, err
			}
			all = append(all, kadm.AlterConfig{Op: group.op, Name: name, Value: &value})
		}
	}
	for _, name := range c.unset {
		if err := known(name); err != nil {
			return nil, err
		}
		all = append(all, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name})
	}
	return all, nil
}

// resource is a kind of thing that has settings.
type resource int

const (
	topicResource resource = iota
	brokerResource
)

// alterConfigs changes the settings of topics, or of brokers (no name: of all of them).
func (p *program) alterConfigs(path string, s *session, of resource, configs []kadm.AlterConfig, dry bool, names []string) int {
	answer, err := requestAlteration(s.ctx, s.admin, of, configs, dry, names)
	if err != nil {
		return p.failed(path, p.unserved(err, "IncrementalAlterConfigs"))
	}
	kind := "topic "
	if of == brokerResource {
		kind = "broker "
	}
	code := exitDone
	for _, row := range answer {
		if row.Err != nil {
			name := kind + row.Name
			if row.Name == "" {
				name = "all brokers"
			}
			code = p.failed(path, fmt.Errorf("%s: %w", name, refusal(row.Err, row.ErrMessage)))
		}
	}
	return code
}

func requestAlteration(
	ctx context.Context, admin *kadm.Client, of resource, configs []kadm.AlterConfig, dry bool, names []string,
) (kadm.AlterConfigsResponses, error) {
	if of == topicResource {
		if dry {
			return admin.ValidateAlterTopicConfigs(ctx, configs, names...)
		}
		return admin.AlterTopicConfigs(ctx, configs, names...)
	}
	ids, err := brokerIDs(names)
	if err != nil {
		return nil, err
	}
	if dry {
		return admin.ValidateAlterBrokerConfigs(ctx, configs, ids...)
	}
	return admin.AlterBrokerConfigs(ctx, configs, ids...)
}
