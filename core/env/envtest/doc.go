// Package envtest is what every world has to pass: the suites for env.Disk and env.Network.
//
// A suite runs on the simulated implementation and on the real one, so that a broker sees no difference it could rely
// on. Stories are text files under testdata; a crash story also lists what the simulated disk may leave, and the real
// disk may leave nothing else. Adapters live in the tests of the implementations: this package imports none of them.
package envtest
