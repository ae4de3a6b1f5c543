package main

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
)

const clusterStatusHelp = `It shows the brokers, whether each can be reached from here at the address it tells clients, and every partition that has no
leader, or fewer replicas in sync than it has replicas.

With --output json there is an object a line: the cluster, its brokers, then the partitions in trouble.

Exit codes: 0 all is well, 1 could not be asked, 2 wrong usage, 6 a broker can't be reached or a partition is in trouble.
`

// clusterView is what there is to say of a cluster.
type clusterView struct {
	Cluster       string `json:"cluster"`
	Controller    int32  `json:"controller"` // -1: not known
	Topics        int    `json:"topics"`
	Partitions    int    `json:"partitions"`
	Leaderless    int    `json:"leaderless_partitions"`
	UnderReplicas int    `json:"under_replicated_partitions"`

	brokers []memberView
	trouble []troubleView
}

type memberView struct {
	Broker   int32  `json:"broker"`
	Address  string `json:"address"`
	Rack     string `json:"rack"`
	Leads    int    `json:"leads"`
	Replicas int    `json:"replicas"`
	InSync   int    `json:"in_sync"`
	Error    string `json:"error,omitempty"` // why it can't be reached
}

type troubleView struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"` // -1: none
	Replicas  []int32 `json:"replicas"`
	ISR       []int32 `json:"isr"`
}

func prepareClusterStatus(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas cluster status"
	var f clusterFlags
	f.declare(p, flags)
	return func() int {
		if err := f.check(); err != nil {
			return p.misused(path, err)
		}
		s, err := p.open(&f)
		if err != nil {
			return p.failed(path, err)
		}
		defer s.close()
		metadata, err := s.admin.Metadata(s.ctx)
		if err != nil {
			return p.failed(path, err)
		}
		view := viewOfCluster(metadata)
		for i := range view.brokers {
			if conn, _, err := p.reach([]string{view.brokers[i].Address}); err != nil {
				view.brokers[i].Error = err.Error()
			} else {
				_ = conn.Close()
			}
		}
		code := p.print(view.show(f.json()))
		if code == exitDone && !view.isWell() {
			return exitViolation
		}
		return code
	}
}

func viewOfCluster(m kadm.Metadata) *clusterView {
	view := &clusterView{Cluster: m.Cluster, Controller: m.Controller, Topics: len(m.Topics)}
	members := make(map[int32]*memberView)
	for _, b := range m.Brokers {
		rack := ""
		if b.Rack != nil {
			rack = *b.Rack
		}
		view.brokers = append(view.brokers, memberView{
			Broker: b.NodeID, Address: net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), Rack: rack,
		})
	}
	slices.SortFunc(view.brokers, func(a, b memberView) int { return cmp.Compare(a.Broker, b.Broker) })
	for i := range view.brokers {
		members[view.brokers[i].Broker] = &view.brokers[i]
	}
	count := func(id int32, what func(*memberView)) {
		if member := members[id]; member != nil {
			what(member)
		}
	}
	for _, topic := range m.Topics.Sorted() {
		for _, x := range topic.Partitions.Sorted() {
			view.Partitions++
			count(x.Leader, func(m *memberView) { m.Leads++ })
			for _, id := range x.Replicas {
				count(id, func(m *memberView) { m.Replicas++ })
			}
			for _, id := range x.ISR {
				count(id, func(m *memberView) { m.InSync++ })
			}
			view.judge(x)
		}
	}
	return view
}

// judge counts a partition that is in trouble.
func (v *clusterView) judge(x kadm.PartitionDetail) {
	leaderless, under := x.Leader < 0, len(x.ISR) < len(x.Replicas)
	if leaderless {
		v.Leaderless++
	}
	if under {
		v.UnderReplicas++
	}
	if leaderless || under {
		v.trouble = append(v.trouble, troubleView{
			x.Topic, x.Partition, x.Leader, append([]int32{}, x.Replicas...), append([]int32{}, x.ISR...), // [] in JSON, not null
		})
	}
}

func (v *clusterView) isWell() bool {
	return len(v.trouble) == 0 && !slices.ContainsFunc(v.brokers, func(m memberView) bool { return m.Error != "" })
}

func (v *clusterView) show(asJSON bool) string {
	var b strings.Builder
	if asJSON {
		writeJSON(&b, v)
		for _, m := range v.brokers {
			writeJSON(&b, m)
		}
		for _, t := range v.trouble {
			writeJSON(&b, t)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "cluster %s  controller %s  topics %d  partitions %d\n\n", v.Cluster, numberOr(int64(v.Controller), "none"),
		v.Topics, v.Partitions)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BROKER\tADDRESS\tRACK\tLEADS\tREPLICAS\tIN SYNC\tSTATE")
	for _, m := range v.brokers {
		state := "reached"
		if m.Error != "" {
			state = m.Error
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%d\t%s\n", m.Broker, m.Address, cmp.Or(m.Rack, "-"), m.Leads, m.Replicas, m.InSync, state)
	}
	_ = table.Flush()
	fmt.Fprintf(&b, "\nwithout leader %d  under-replicated %d\n", v.Leaderless, v.UnderReplicas)
	if len(v.trouble) == 0 {
		return b.String()
	}
	table = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PARTITION\tLEADER\tREPLICAS\tISR")
	for _, t := range v.trouble {
		fmt.Fprintf(table, "%s[%d]\t%s\t%s\t%s\n", t.Topic, t.Partition, numberOr(int64(t.Leader), "none"), join(t.Replicas), join(t.ISR))
	}
	_ = table.Flush()
	return b.String()
}
