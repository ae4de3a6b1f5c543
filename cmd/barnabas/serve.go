package main

import (
	"context"
	"fmt"

	"barnabas/cmd/barnabas/internal/monitor"
	"barnabas/core"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/disk"
	"barnabas/net"
	"barnabas/net/host"
)

// site is where a broker is to run, and whom it tells.
type site struct {
	settings *config.Settings
	version  string
	say      func(line string)
	// ready is called once, when produce would be accepted. Its error ends the broker.
	ready func(started) error
}

// started is what there is to say of a broker that runs.
type started struct {
	addresses  []string
	metrics    string // where metrics are; "": nowhere
	recovery   string
	durability string
	disk       env.DiskDescription
}

// serve runs a broker in the real world until stop is closed (nil) or until it can't go on (why).
func serve(s site, stop <-chan struct{}) error {
	h := host.New(host.Options{Say: s.say})
	watch := &watched{host: h, folder: s.settings.Folder()}
	monitor, err := s.monitor(watch)
	if err != nil {
		return err
	}
	defer monitor.Close()
	files := disk.NewPosix(h.Loop(), func(in task.Input) { h.Post(in, true) }, disk.Options{Folder: s.settings.Folder()})
	h.AtEnd(files.Stop)
	network := net.New(h, networkOptions(s))
	broker := core.Open(h.Env(files, network), core.Options{
		Settings: s.settings, Listeners: s.settings.ListenAddresses(), Advertised: s.settings.AdvertisedAddresses(), Folder: s.settings.Folder(),
		OnSettings: func(now *config.Settings) { network.SetLimits(limits(now)) },
	})
	watch.broker, watch.network = broker, network
	broker.Ready().Then(func(b core.Started, err error) {
		if err == nil {
			err = s.ready(started{
				addresses: b.Addresses, metrics: monitor.Address(), recovery: b.Recovery, durability: b.Durability, disk: files.Describe(),
			})
		}
		if err != nil {
			h.Fail(err)
		}
	})
	h.AtStop(func(done func()) {
		s.say("stopping: what was taken is being stored")
		broker.Stop().Then(func(_ task.Done, err error) {
			if err != nil {
				h.Fail(err)
			}
			done()
		})
	})
	return h.Run(stop)
}

// monitor serves metrics and health, if the settings ask for it: from before the broker recovers until it has ended.
func (s site) monitor(b monitor.Broker) (*monitor.Server, error) {
	address := s.settings.String("metrics.listen")
	if address == "" {
		return nil, nil
	}
	server, err := monitor.Start(address, s.version, b)
	if err != nil {
		return nil, fmt.Errorf("metrics.listen=%s: %w; take another port (0: a free one)", address, err)
	}
	return server, nil
}

// watched is a broker as its monitor sees it, from other goroutines.
type watched struct {
	host    *host.Host
	network *net.Network
	broker  *core.Broker
	folder  string
}

// Metrics counts, on the loop.
func (w *watched) Metrics(ctx context.Context) (core.Metrics, error) {
	counted := make(chan core.Metrics, 1)
	w.host.Post(host.Call(func() {
		w.host.Loop().Go("metrics", func(t *task.Task) { counted <- w.broker.Metrics(t) })
	}), false)
	select {
	case m := <-counted:
		return m, nil
	case <-ctx.Done():
		return core.Metrics{}, ctx.Err()
	}
}

// Turns waits for a step of the loop.
func (w *watched) Turns(ctx context.Context) error {
	turned := make(chan struct{})
	w.host.Post(host.Call(func() { close(turned) }), false)
	select {
	case <-turned:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// FreeBytes asks the file system.
func (w *watched) FreeBytes() int64 { return disk.FreeBytes(w.folder) }

// networkOptions are what the settings allow peers.
func networkOptions(s site) net.Options {
	return net.Options{
		Limits: limits(s.settings), FrameMemoryMax: max(0, s.settings.Long("queued.max.request.bytes")), Say: s.say,
	}
}

// limits are how many connections the settings allow. Theirs of none is Limits' of less than none.
func limits(s *config.Settings) net.Limits {
	number := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	overrides, _ := s.ConnectionsPerIP() // which were read when the settings were
	for ip, most := range overrides {
		overrides[ip] = number(most)
	}
	return net.Limits{
		ConnectionsMax: number(s.Int("max.connections")), ConnectionsPerIPMax: number(s.Int("max.connections.per.ip")),
		OverridesPerIP: overrides, ConnectionsPerSecond: s.Int("max.connection.creation.rate"),
	}
}

// Counts are those of the listeners.
func (w *watched) Counts() net.Counts { return w.network.Counts() }
