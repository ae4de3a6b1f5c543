package sim

import (
	"fmt"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/client"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
)

// clientOptions are what every client of this world has.
func (w *world) clientOptions(id uint64, fetchVersion int16) client.Options {
	forgetful, troubled := memoryOf(w.plan) < week, w.plan.MayEndDirectory()
	o := client.Options{
		ID: id, Random: w.kernel.Random, FetchVersion: fetchVersion,
		Hooks: client.Hooks{
			Ledger: w.ledger, Witness: w.witness, Violate: w.violate, Wall: w.wall, Forgetful: forgetful,
			MayForget: forgetful || w.plan.Value("durability") == "replicated" || troubled, Trouble: troubled, Full: w.plan.Has(plan.Full, 0), Damaged: w.damaged,
			Operation: func() { w.result.Operations++ }, Acked: func() { w.result.Acked++ }, Changed: w.count,
			Made: w.madeTopic, Once: w.weak.neverRetry, Sometimes: w.sometimes, Answered: w.answered,
		},
	}
	for _, b := range w.brokers {
		o.Brokers = append(o.Brokers, fmt.Sprintf("%s:%d", w.network.HostOf(b.node), brokerPort))
	}
	return o
}

// scriptOf is what a client of the plan does.
func (w *world) scriptOf(p *plan.Client) client.Options {
	o := w.clientOptions(p.ID, p.FetchVersion)
	stopAt := task.Instant(0).Add(w.plan.Virtual)
	for _, producer := range p.Producers {
		o.Producers = append(o.Producers, client.ProducerPlan{
			Producer: producer, Partition: ledger.Partition{Topic: producer.Topic}, Lasting: w.lasts(producer.Acks), StopAt: stopAt,
		})
	}
	for _, consumer := range p.Consumers {
		o.Consumers = append(o.Consumers, client.ConsumerPlan{
			Consumer: consumer, Partition: ledger.Partition{Topic: consumer.Topic}, StopAt: stopAt,
		})
	}
	for _, churn := range p.Churns {
		o.Churns = append(o.Churns, client.ChurnPlan{
			Churn: churn, Retention: retentionOfTopic(w.plan, churn.Settings), Lasting: w.lasts(churn.Producer.Acks), StopAt: stopAt,
		})
	}
	for _, deletion := range p.Deletions {
		o.Deletions = append(o.Deletions, client.DeletionPlan{
			Deletion: deletion, Partition: ledger.Partition{Topic: deletion.Topic}, StopAt: stopAt,
		})
	}
	return o
}

// lasts says whether an acknowledgement is for good: not of a leader alone where another one may be elected.
func (w *world) lasts(acks int16) bool { return acks == -1 || acks == 1 && w.plan.Brokers() == 1 }

// firstClientKey is the key of the first client's node: beyond those of brokers, so that they keep their draws when there are
// fewer of the others.
const firstClientKey = 1000

func (w *world) startClient(o client.Options) *client.Client {
	node := w.node()
	node.Key = firstClientKey + o.ID
	node.Crashed = func(cause any, stack string) { w.panicked(fmt.Sprintf("client %d", o.ID), cause, stack) }
	loop := node.Start()
	return client.Start(env.Env{Loop: loop, Network: w.network.Endpoint(node)}, o)
}

// instant is a plan's time as the world's clocks show it.
func instant(at time.Duration) task.Instant { return task.Instant(0).Add(at) }
