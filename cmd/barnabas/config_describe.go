package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"barnabas/core/config"
)

const configDescribeHelp = `It asks brokers for the settings in force, of topics (--topic), or of brokers (--broker; without either, of all brokers).
SOURCE says where a value comes from, in Kafka's words: DYNAMIC_TOPIC_CONFIG the topic was given it, STATIC_BROKER_CONFIG
the broker was started with it, DEFAULT_CONFIG nobody said anything else. Words without a flag name single settings.

With --output json there is an object a line, with all places the value could come from, in falling order of precedence.

Exit codes: 0 done, 1 could not be asked, 2 wrong usage.
`

const configAlterHelp = `It changes settings of topics (--topic), of brokers (--broker), or of all brokers (--all-brokers), while they run.

Exit codes: 0 all were changed, 1 at least one was not (stderr says which and why), 2 wrong usage.
`

// resourceFlags say whose settings are meant.
type resourceFlags struct{ topics, brokers []string }

func (r *resourceFlags) declare(flags *pflag.FlagSet) {
	flags.StringSliceVarP(&r.topics, "topic", "t", nil, "of this `topic`, may be repeated")
	flags.StringSliceVar(&r.brokers, "broker", nil, "of this `broker`, by its number, may be repeated")
}

func (r *resourceFlags) check() error {
	if len(r.topics) > 0 && len(r.brokers) > 0 {
		return usagef("--topic and --broker do not go together: ask twice")
	}
	_, err := brokerIDs(r.brokers)
	return err
}

// brokerIDs reads the names of brokers, which are numbers.
func brokerIDs(names []string) ([]int32, error) {
	var ids []int32
	for _, name := range names {
		n, err := strconv.ParseInt(name, 10, 32)
		if err != nil || n < 0 {
			return nil, usagef("%q is no broker: give its number, as barnabas cluster status shows it", name)
		}
		ids = append(ids, int32(n))
	}
	return ids, nil
}

func prepareConfigDescribe(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas config describe"
	var f clusterFlags
	var of resourceFlags
	f.declare(p, flags)
	of.declare(flags)
	given := flags.Bool("given", false, "only what is not a default")
	return func() int {
		if err := errors.Join(f.check(), of.check()); err != nil {
			return p.misused(path, err)
		}
		s, err := p.open(&f)
		if err != nil {
			return p.failed(path, err)
		}
		defer s.close()
		rows, err := describeConfigs(s, &of)
		if err != nil {
			return p.failed(path, err)
		}
		if rows, err = pickSettings(rows, flags.Args(), *given); err != nil {
			return p.failed(path, err)
		}
		return p.print(showSettings(rows, f.json()))
	}
}

// settingRow is a setting in force.
type settingRow struct {
	Topic    string         `json:"topic,omitempty"`
	Broker   string         `json:"broker,omitempty"`
	Setting  string         `json:"setting"`
	Value    *string        `json:"value"` // null: a secret, or none
	Source   string         `json:"source"`
	Synonyms []settingPlace `json:"synonyms"`
}

// settingPlace is one of the places a value could come from.
type settingPlace struct {
	Setting string  `json:"setting"`
	Value   *string `json:"value"`
	Source  string  `json:"source"`
}

func describeConfigs(s *session, of *resourceFlags) ([]settingRow, error) {
	var answer kadm.ResourceConfigs
	var err error
	if len(of.topics) > 0 {
		answer, err = s.admin.DescribeTopicConfigs(s.ctx, of.topics...)
	} else {
		ids, _ := brokerIDs(of.brokers)
		if len(ids) == 0 {
			brokers, err := s.admin.ListBrokers(s.ctx)
			if err != nil {
				return nil, err
			}
			ids = brokers.NodeIDs()
		}
		answer, err = s.admin.DescribeBrokerConfigs(s.ctx, ids...)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(answer, func(a, b kadm.ResourceConfig) int { return strings.Compare(a.Name, b.Name) })
	var rows []settingRow
	for i := range answer {
		if answer[i].Err != nil {
			return nil, fmt.Errorf("%s: %w", answer[i].Name, refusal(answer[i].Err, answer[i].ErrMessage))
		}
		rows = append(rows, settingRows(&answer[i], len(of.topics) > 0)...)
	}
	return rows, nil
}

func settingRows(of *kadm.ResourceConfig, topic bool) []settingRow {
	var rows []settingRow
	for _, c := range of.Configs {
		row := settingRow{Setting: c.Key, Value: c.Value, Source: c.Source.String(), Synonyms: []settingPlace{}}
		if topic {
			row.Topic = of.Name
		} else {
			row.Broker = of.Name
		}
		for _, synonym := range c.Synonyms {
			row.Synonyms = append(row.Synonyms, settingPlace{synonym.Key, synonym.Value, synonym.Source.String()})
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b settingRow) int { return strings.Compare(a.Setting, b.Setting) })
	return rows
}

// pickSettings leaves the settings of these names, and of these what is given. A name that nothing has is an error.
func pickSettings(rows []settingRow, names []string, given bool) ([]settingRow, error) {
	there := make(map[string]bool)
	for _, row := range rows {
		there[row.Setting] = true
	}
	for _, name := range names {
		if !there[name] && len(there) > 0 {
			return nil, fmt.Errorf("there is no setting %s; the nearest is %s", name, config.Nearest(name, slices.Sorted(maps.Keys(there))))
		}
	}
	return slices.DeleteFunc(rows, func(row settingRow) bool {
		return len(names) > 0 && !slices.Contains(names, row.Setting) ||
			given && row.Source == kmsg.ConfigSourceDefaultConfig.String()
	}), nil
}

func showSettings(rows []settingRow, asJSON bool) string {
	var b strings.Builder
	if asJSON {
		for _, row := range rows {
			writeJSON(&b, row)
		}
		return b.String()
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	kind := "BROKER"
	if len(rows) > 0 && rows[0].Topic != "" {
		kind = "TOPIC"
	}
	fmt.Fprintf(table, "%s\tSETTING\tVALUE\tSOURCE\n", kind)
	for _, row := range rows {
		value := "-"
		if row.Value != nil {
			value = *row.Value
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.Topic+row.Broker, row.Setting, value, row.Source)
	}
	_ = table.Flush()
	return b.String()
}

func prepareConfigAlter(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas config alter"
	var f clusterFlags
	var of resourceFlags
	var change configChange
	f.declareBrokers(p, flags)
	of.declare(flags)
	everyBroker := flags.Bool("all-brokers", false, "of all brokers")
	change.declare(flags)
	return func() int {
		known := knownTopicSetting
		if len(of.topics) == 0 {
			known = func(string) error { return nil } // the brokers know what they have
		}
		configs, err := change.alterations(known)
		if err = errors.Join(f.check(), of.check(), err); err != nil {
			return p.misused(path, err)
		}
		switch named := len(of.topics) + len(of.brokers); {
		case named == 0 && !*everyBroker:
			return p.misused(path, usagef("say whose settings: --topic NAME, --broker N or --all-brokers"))
		case named > 0 && *everyBroker:
			return p.misused(path, usagef("--all-brokers goes alone"))
		case len(configs) == 0:
			return p.misused(path, usagef("say what to change: --set key=value or --unset key"))
		}
		s, err := p.open(&f)
		if err != nil {
			return p.failed(path, err)
		}
		defer s.close()
		if len(of.topics) > 0 {
			return p.alterConfigs(path, s, topicResource, configs, change.dry, of.topics)
		}
		return p.alterConfigs(path, s, brokerResource, configs, change.dry, of.brokers)
	}
}
