package main

import "barnabas/sim"

// simulate and profiles are the simulator as program knows it.
func simulate(o sim.Options) sim.Result { return sim.Run(o) }

func profiles() []sim.Profile { return sim.Profiles() }
