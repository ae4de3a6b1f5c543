// Package architecture holds no code, only the test that keeps the shape of this house: which package may import
// which, and what code in core may not do.
//
// The test lists the module's packages with the go command, parses and type-checks everything under core with the
// standard library alone, and reports each breach with its file, its line and what to do instead. It does so once for
// each build variant (see variants in tables_test.go), so code behind a build tag is held to the same rules.
//
// Where to look:
//
//   - tables_test.go: the floors, the allowed imports and every other list, as data. Most changes to the shape of the
//     house are a row there.
//   - imports_test.go, constructs_test.go, variables_test.go, tasks_test.go, layout_test.go: the rules.
//   - violations_test.go: for every rule a text that breaks it, and the exact message it must give. A new rule starts
//     there.
//   - testdata/exceptions.txt: how many excuses each package holds.
//
// # Excuses
//
// A few rules can be excused at the spot, in a comment at the end of the line or alone on the line above, which says
// why:
//
//	//core:unordered the sum does not depend on the order
//	//core:float     only shown to people, decides nothing
//	//core:variable  set by tests before the loop starts
//	//core:task      an iterator; its body runs inside the caller's task
//
// An excuse that excuses nothing fails, and so does a number of excuses other than the one in testdata/exceptions.txt:
// each new one is seen in review.
//
// # The test cache
//
// What the go command finds, the test cache cannot see. The test therefore reads every directory and every Go file of
// the module itself, which the cache does see, so a cached pass is still true. Continuous integration runs it with
// -count=1 all the same.
package architecture
