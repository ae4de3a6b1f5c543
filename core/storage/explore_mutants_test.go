//go:build mutants

package storage

import (
	"errors"
	"testing"

	"barnabas/core/mutant"
	"barnabas/sim/simdisk"
	"barnabas/sim/simdisk/sweep"
)

// TestSmallWorldsFindMutants switches mutants on and expects that small worlds show what they break.
func TestSmallWorldsFindMutants(t *testing.T) {
	for name, id := range map[string]mutant.ID{
		"folder not synced": mutant.FolderNotSynced, "recovery not idempotent": mutant.RecoveryNotIdempotent,
		"redo after retention": mutant.RedoAfterRetention, "truncate keeps synced": mutant.TruncateKeepsSynced,
		"unsynced trusted": mutant.UnsyncedTrusted, "producers forgotten": mutant.ProducersForgotten,
		"dropped log redone": mutant.DroppedLogRedone,
	} {
		t.Run(name, func(t *testing.T) {
			mutant.Switch(id)
			defer mutant.Switch(mutant.None)
			for _, w := range worlds {
				x := explore(w, simdisk.PosixMin, 0, 48)
				if err := errors.Join(x.wrong...); err != nil {
					t.Logf("%.400v", err)
					return
				}
			}
			t.Error("it is not found")
		})
	}
}

// TestTheSweepFindsMutants expects that failing every sync shows who believes in a second one.
func TestTheSweepFindsMutants(t *testing.T) {
	for name, id := range map[string]mutant.ID{"sync error ignored": mutant.SyncErrorIgnored, "sync retried": mutant.SyncRetried} {
		t.Run(name, func(t *testing.T) {
			mutant.Switch(id)
			defer mutant.Switch(mutant.None)
			s := faultSort{"sync", offline, false}
			report, err := sweep.Over(sweep.Options{PerClass: 3, Keep: s.keep, Outcomes: s.outcomes}, program(1, simdisk.PosixMin, s.expect))
			if err != nil || len(report.Failures) == 0 {
				t.Errorf("%d failures in %d tries, %v", len(report.Failures), report.Tries, err)
				return
			}
			t.Logf("%v: %.300v", report.Failures[0].Try, report.Failures[0].Err)
		})
	}
}
