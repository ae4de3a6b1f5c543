package codes

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

// TestEveryCodeIsExplained also compares names with a list that is not ours.
func TestEveryCodeIsExplained(t *testing.T) {
	all := All()
	if len(all) != len(table) {
		t.Errorf("%d codes, %d explanations", len(all), len(table))
	}
	for _, c := range all {
		if c.Meaning == "" || c.Cause == "" || c.Do == "" {
			t.Errorf("%s is not explained", c.Name)
		}
		theirs := kerr.TypedErrorForCode(c.Number)
		if c.Number == 0 || c.Number == 6 || theirs == nil || theirs.Code != c.Number {
			continue // kerr knows no such code, or (6) by a name that Kafka gave up
		}
		if theirs.Message != c.Name {
			t.Errorf("%d is %s, and kerr says %s", c.Number, c.Name, theirs.Message)
		}
	}
}

func TestFind(t *testing.T) {
	for word, want := range map[string]string{
		"6": "NOT_LEADER_OR_FOLLOWER", "-1": "UNKNOWN_SERVER_ERROR", "0": "NONE", "not_controller": "NOT_CONTROLLER",
		"NotLeaderOrFollowerException": "NOT_LEADER_OR_FOLLOWER", "unknown-topic-id": "UNKNOWN_TOPIC_ID", "InvalidTopicException": "INVALID_TOPIC_EXCEPTION",
	} {
		if c, err := Find(word); err != nil || c.Name != want {
			t.Errorf("%s: %s, %v", word, c.Name, err)
		}
	}
	for word, want := range map[string]string{
		"9999": "there is no error code 9999: Kafka has -1 to 133", "-2": "there is no error code -2: Kafka has -1 to 133",
		"not-controler": `there is no error "not-controler"; the nearest is NOT_CONTROLLER`,
	} {
		if _, err := Find(word); err == nil || err.Error() != want {
			t.Errorf("%s: %v", word, err)
		}
	}
}
