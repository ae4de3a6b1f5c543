package api

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/storage"
)

// held are produce requests that wait for room in the journal, in the order they came. While there is one, all later ones
// wait behind it: batches of one connection must not pass each other, and nobody starves.
type held struct {
	directory *storage.Directory
	probe     env.Probe
	list      []*produce
	awaiting  bool
}

// isFirst says whether p is the next to go on.
func (h *held) isFirst(p *produce) bool { return len(h.list) > 0 && h.list[0] == p }

func (h *held) isEmpty() bool { return len(h.list) == 0 }

func (h *held) add(p *produce) {
	h.probe.Sometimes(env.MarkProduceHeld)
	h.list = append(h.list, p)
	h.await()
}

// remove takes a request out that waits no longer.
func (h *held) remove(p *produce) {
	if i := slices.Index(h.list, p); i >= 0 {
		h.list = slices.Delete(h.list, i, i+1)
	}
}

func (h *held) await() {
	if !h.awaiting {
		h.awaiting = true
		h.directory.AwaitRoom(h.again)
	}
}

// again goes on with those for whom there is room now. What is answered meanwhile may start further requests of its
// connection: they come in at the end, since the one at work is still on the list.
func (h *held) again() {
	h.awaiting = false
	for len(h.list) > 0 {
		p := h.list[0]
		p.run()
		if p.packing { // it calls again when that is over: nothing passes it
			return
		}
		if !p.appended {
			h.await()
			return
		}
		h.list[0] = nil
		h.list = h.list[1:]
	}
}
