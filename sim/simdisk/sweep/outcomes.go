package sweep

import (
	"barnabas/core/env"
	"barnabas/sim/simdisk"
)

// Outcome is what becomes of the operation that is failed.
type Outcome struct {
	Effect simdisk.Effect
	Error  error         // of the effects that fail
	Crash  simdisk.Crash // of the effects that crash
}

func (o Outcome) String() string {
	if o.Effect.Crashes() {
		return o.Effect.String() + " (" + o.Crash.String() + ")"
	}
	if o.Error == nil {
		return o.Effect.String()
	}
	return o.Effect.String() + " (" + o.Error.Error() + ")"
}

// Legal returns every outcome that core/env allows an operation of the kind, lies and misdirection apart.
func Legal(k simdisk.Kind) []Outcome { return append(Failing(k), Crashing(k)...) }

// Failing returns the outcomes that are errors.
func Failing(k simdisk.Kind) (all []Outcome) {
	for _, effect := range []simdisk.Effect{simdisk.FailBefore, simdisk.FailPartly, simdisk.FailAfter} {
		for _, err := range []error{env.ErrIO, env.ErrNoSpace, env.ErrReadOnly, env.ErrTooManyFiles} {
			if legal(k, effect, err) {
				all = append(all, Outcome{Effect: effect, Error: err})
			}
		}
	}
	return all
}

// Crashing returns the outcomes that are the end of the process, or of the machine.
func Crashing(k simdisk.Kind) (all []Outcome) {
	for _, effect := range []simdisk.Effect{simdisk.CrashBefore, simdisk.CrashDuring, simdisk.CrashAfter} {
		if effect != simdisk.CrashBefore && readers.Has(k) {
			continue // it has no effect of which there could be more or less
		}
		for _, crash := range []simdisk.Crash{simdisk.ProcessDeath, simdisk.PowerLoss} {
			all = append(all, Outcome{Effect: effect, Crash: crash})
		}
	}
	return all
}

var (
	readers = simdisk.Of(simdisk.OpList, simdisk.OpSize, simdisk.OpReadAt, simdisk.OpLock)
	// divisible are the operations of which a part can have happened.
	divisible = simdisk.Of(
		simdisk.OpReadAt, simdisk.OpWriteAt, simdisk.OpWriteSync, simdisk.OpSync, simdisk.OpSyncDir)
	// growing are those that may need space.
	growing = simdisk.Of(
		simdisk.OpOpen, simdisk.OpMakeFolder, simdisk.OpRename, simdisk.OpLock, simdisk.OpWriteAt, simdisk.OpWriteSync,
		simdisk.OpTruncate, simdisk.OpSync)
	writers = simdisk.Of(simdisk.OpWriteAt, simdisk.OpWriteSync, simdisk.OpSync)
)

// legal says whether core/env allows an operation of the kind to fail so.
func legal(k simdisk.Kind, effect simdisk.Effect, err error) bool {
	if effect == simdisk.FailPartly && !divisible.Has(k) || effect == simdisk.FailAfter && readers.Has(k) {
		return false
	}
	before := effect == simdisk.FailBefore
	switch err {
	case env.ErrNoSpace:
		return growing.Has(k) && (before || writers.Has(k))
	case env.ErrReadOnly:
		return simdisk.Kinds.Has(simdisk.Changes, k) && (before || k == simdisk.OpSync || k == simdisk.OpSyncDir)
	case env.ErrTooManyFiles:
		return simdisk.Kinds.Has(simdisk.Descriptors, k) && before
	}
	return true
}
