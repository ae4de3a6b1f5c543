// Package assert stops the program when it finds itself wrong.
//
// An assertion speaks about our own code only: bytes from a disk or a peer that are not as they should be are errors,
// never assertions. The text is constant, so that a check that holds costs a branch.
package assert

// That panics with text unless condition holds. State the positive form: what must be true here.
func That(condition bool, text string) {
	if !condition {
		panic(Failure{Text: text})
	}
}

// Failure is what a broken assertion panics with.
type Failure struct{ Text string }

func (f Failure) Error() string { return "assertion broken: " + f.Text }
