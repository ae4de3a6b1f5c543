package main

import (
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
	say      func(line string)
	// ready is called once, when produce would be accepted. Its error ends the broker.
	ready func(started) error
}

// started is what there is to say of a broker that runs.
type started struct {
	addresses  []string
	recovery   string
	durability string
	disk       env.DiskDescription
}

// serve runs a broker in the real world until stop is closed (nil) or until it can't go on (why).
func serve(s site, stop <-chan struct{}) error {
	h := host.New(host.Options{Say: s.say})
	files := disk.NewPosix(h.Loop(), func(in task.Input) { h.Post(in, true) }, disk.Options{Folder: s.settings.Folder()})
	h.AtEnd(files.Stop)
	network := net.New(h, net.Options{ConnectionsMax: s.settings.Int("max.connections")})
	broker := core.Open(h.Env(files, network), core.Options{
		Settings: s.settings, Listeners: s.settings.ListenAddresses(), Advertised: s.settings.AdvertisedAddresses(), Folder: s.settings.Folder(),
	})
	broker.Ready().Then(func(b core.Started, err error) {
		if err == nil {
			err = s.ready(started{
				addresses: b.Addresses, recovery: b.Recovery, durability: b.Durability, disk: files.Describe(),
			})
		}
		if err != nil {
			h.Fail(err)
		}
	})
	h.AtStop(func(done func()) {
		broker.Stop().Then(func(_ task.Done, err error) {
			if err != nil {
				h.Fail(err)
			}
			done()
		})
	})
	return h.Run(stop)
}
