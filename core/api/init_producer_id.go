package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// producerIDs is the block of ids this broker may give out, and who waits for the next one.
type producerIDs struct {
	next, end int64
	waiting   []func(int64, error)
}

// initProducerID gives a producer an id nobody has or had, with epoch 0.
//
// Key 22, versions 0–5 (flexible from 2).
//
//   - An idempotent producer that comes back with its id after a fatal error gets a new id (KIP-360 leaves that open).
//
// Not here yet: transactional ids.
func (h *Handlers) initProducerID(r *wire.Request, m *protocol.InitProducerIdRequest) {
	if m.TransactionalId.Valid && m.TransactionalId.Value == "" {
		r.Answer(&protocol.InitProducerIdResponse{ErrorCode: protocol.ErrInvalidRequest, ProducerId: -1, ProducerEpoch: -1}, nil)
		return
	}
	if m.TransactionalId.Valid {
		r.Answer(&protocol.InitProducerIdResponse{
			ErrorCode: protocol.ErrCoordinatorNotAvailable, ProducerId: -1, ProducerEpoch: -1,
		}, nil)
		return
	}
	h.takeProducerID(func(id int64, err error) {
		answer := &protocol.InitProducerIdResponse{ProducerId: id}
		if err != nil {
			answer.ErrorCode, _ = codeOf(err)
			answer.ProducerId, answer.ProducerEpoch = -1, -1
		}
		r.Answer(answer, nil)
	})
}

// takeProducerID calls done with a fresh id, after fetching the next block from the controller if need be.
func (h *Handlers) takeProducerID(done func(int64, error)) {
	p := &h.producers
	if p.next < p.end {
		p.next++
		done(p.next-1, nil)
		return
	}
	p.waiting = append(p.waiting, done)
	if len(p.waiting) > 1 {
		return // a block is on its way
	}
	h.controller.AllocateProducerIDs(func(first, end int64, err error) {
		if err == nil { // else nobody knows that they are taken, and they will be given again
			p.next, p.end = first, end
		}
		waiting := p.waiting
		p.waiting = nil
		for _, w := range waiting {
			if err != nil {
				w(-1, err)
				continue
			}
			h.takeProducerID(w)
		}
	})
}
