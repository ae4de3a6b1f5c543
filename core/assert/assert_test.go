package assert

import (
	"errors"
	"testing"
)

func TestWhatHoldsGoesOn(t *testing.T) { That(true, "two is two") }

func TestWhatDoesNotHoldStopsWithItsText(t *testing.T) {
	defer func() {
		err, _ := recover().(error)
		var failure Failure
		if !errors.As(err, &failure) || failure.Text != "a text" || err.Error() != "assertion broken: a text" {
			t.Errorf("stopped with %v", err)
		}
	}()
	That(false, "a text")
	t.Error("it goes on")
}
