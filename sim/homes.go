package sim

import (
	"strings"

	"barnabas/linearizability"
)

// homes returns every invariant there is, with the folder of the package that judges it, below the module.
func homes() map[string]string {
	all := make(map[string]string)
	add := func(folder, invariants string) {
		for _, name := range strings.Fields(invariants) {
			all[name] = folder
		}
	}
	add("sim", `EpochMonotone EndsInOrder HighWatermarkStable HighWatermarkMonotone LeaderAppendOnly
		LedInOldEpoch HighWatermarkBacked RecoveredCoversPromised LogStructure CleanStop DigestMismatch Liveness`)
	add("sim", `RefusalNamesPlace`)
	add("sim/ledger", `AckedOnDisk LostWrite InconsistentOffset Duplicate Order NeverWritten ProducerIDReused
		StartWithoutReason DeletedRecordsBack OffsetOfTimestamp`)
	add("sim/client", `Skipped ReadAboveHighWatermark CorruptBatch UnexpectedError StartAboveHighWatermark DeletedTopicServes`)
	for _, a := range linearizability.Anomalies() {
		add("linearizability", a.String())
	}
	// What the broker itself notices: its own checks, wherever they stand.
	add("core", `Panic BrokerStarts BrokerFailed MetadataApplies`)
	return all
}

// OracleIn returns the folder of the package that judges the invariant, or "" for one that does not exist.
func OracleIn(invariant string) string { return homes()[invariant] }

// SeenByClients says whether clients alone saw it: one in an answer, or the judge of histories in all of them together.
func SeenByClients(invariant string) bool {
	in := OracleIn(invariant)
	return in == "linearizability" || in == "sim/client"
}

// Outside says whether the invariant is judged outside the package: neither in it, nor below or above it.
func Outside(invariant, folder string) bool {
	in := OracleIn(invariant)
	return in != "" && !strings.HasPrefix(folder+"/", in+"/") && !strings.HasPrefix(in+"/", folder+"/")
}
