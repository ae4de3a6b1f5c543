package linearizability

import "testing"

// What a request that was parked may be answered leaves open whether its batch is there.
func TestAnswersToParkedRequestsAreOpen(t *testing.T) {
	for code, want := range map[int16]Outcome{
		0: OK, 6: Unknown /* NOT_LEADER_OR_FOLLOWER */, 7: Unknown /* REQUEST_TIMED_OUT */, 3: Unknown, /* UNKNOWN_TOPIC_OR_PARTITION */
		20: Unknown /* NOT_ENOUGH_REPLICAS_AFTER_APPEND */, 56: Unknown /* KAFKA_STORAGE_ERROR */, 45: Unknown, /* OUT_OF_ORDER_SEQUENCE_NUMBER */
		-1: Unknown, 10: Failed /* MESSAGE_TOO_LARGE */, 19: Failed, /* NOT_ENOUGH_REPLICAS */
	} {
		if got := OutcomeOf(code); got != want {
			t.Errorf("%d: %v, want %v", code, got, want)
		}
	}
}
