package linearizability

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What decides in Check stands in these files. Every comparison and every condition in them is flipped, one at a time, and
// every flip must be noticed by the stories or by the agreement with Porcupine.
var decisive = []string{"check.go", "observe.go", "places.go", "polls.go", "times.go", "registers.go"}

// harmless are the flips that change no verdict and no proof, each for a reason, by the code and what becomes of it.
var harmless = map[string]string{
	"b.from < a.from with the other border, in: if b.from < a.from {": "two copies told from the same record on have that one in common",
}

// flipper is set in the copy of the package whose comparisons can be flipped.
var flipper struct {
	flips []string // descriptions
	flip  func(n int)
}

// TestEveryFlipOfACheckIsNoticed writes a copy of the decisive files in which a variable says which comparison is flipped,
// builds the tests with it, and has them try one flip after another (TestFlips).
func TestEveryFlipOfACheckIsNoticed(t *testing.T) {
	if flipper.flip != nil {
		t.Skip("this is the copy")
	}
	folder := t.TempDir()
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	put := func(name, text string) {
		here, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		overlay.Replace[here] = filepath.Join(folder, name)
		if err := os.WriteFile(overlay.Replace[here], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var f flips
	for _, name := range decisive {
		put(name, f.rewrite(t, name))
	}
	put("flips_helpers.go", flipHelpers)
	put("flips_list_test.go", f.list())
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "test", "-overlay", file, "-run", "^TestFlips$", "-count=1", "-v", ".")
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFlips ") {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

// TestFlips runs in the copy.
func TestFlips(t *testing.T) {
	if flipper.flip == nil {
		t.Skip("TestEveryFlipOfACheckIsNoticed runs it")
	}
	all := append(trials(t, 6_000), registerTrials(t, 2_000)...)
	var stories []story
	for _, file := range storyFiles {
		stories = append(stories, readStories(t, file)...)
	}
	harm := make(map[string]bool)
	for n, what := range flipper.flips {
		by := noticed(n, stories, all)
		if by == "" {
			harm[what] = true
			if harmless[what] == "" {
				t.Errorf("nobody notices %q", what)
			}
		}
	}
	for what := range harmless {
		if !harm[what] {
			t.Errorf("%q is said to be harmless, and is noticed or gone", what)
		}
	}
	t.Logf("%d flips, %d of them harmless", len(flipper.flips), len(harm))
}

// noticed says what notices the flip, or "".
func noticed(n int, stories []story, all []trial) (by string) {
	flipper.flip(n)
	defer flipper.flip(-1)
	defer func() {
		if cause := recover(); cause != nil { // it would fail any test
			by = fmt.Sprint("a panic: ", cause)
		}
	}()
	for i := range stories {
		if _, got, err := stories[i].findings(); err != nil || !stories[i].told(got) {
			return "story " + stories[i].name
		}
	}
	for i := range all {
		if all[i].disagrees() {
			return fmt.Sprint("seed ", all[i].seed)
		}
	}
	return ""
}

// flips are the places where something can be flipped.
type flips struct {
	descriptions []string
}

// rewrite returns the file with every comparison and condition wrapped.
func (f *flips) rewrite(t *testing.T, name string) string {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &rewriter{flips: f, source: source, offset: func(p token.Pos) int { return files.Position(p).Offset }, done: make(map[ast.Expr]bool)}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			w.condition(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				w.condition(n.Cond)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil {
				t.Errorf("%s: a switch on a value can't be flipped: write conditions", files.Position(n.Pos()))
			}
			for _, clause := range n.Body.List {
				for _, e := range clause.(*ast.CaseClause).List {
					w.condition(e)
				}
			}
		case *ast.BinaryExpr:
			if isComparison(n.Op) || n.Op == token.LAND || n.Op == token.LOR {
				w.condition(n)
			}
		}
		return true
	})
	return w.text()
}

// rewriter rewrites one file by insertions.
type rewriter struct {
	*flips
	source     []byte
	offset     func(token.Pos) int
	done       map[ast.Expr]bool
	insertions []insertion
}

type insertion struct {
	at   int
	cut  int // bytes that are replaced
	text string
}

func isComparison(op token.Token) bool {
	return slices.Contains([]token.Token{token.LSS, token.LEQ, token.GTR, token.GEQ, token.EQL, token.NEQ}, op)
}

func isNil(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "nil"
}

// condition wraps the comparisons a condition is made of, and its other parts as a whole.
func (w *rewriter) condition(e ast.Expr) {
	if w.done[e] {
		return
	}
	w.done[e] = true
	switch e := e.(type) {
	case *ast.ParenExpr:
		w.condition(e.X)
	case *ast.UnaryExpr:
		w.condition(e.X)
	case *ast.BinaryExpr:
		switch {
		case !isComparison(e.Op):
			w.condition(e.X)
			w.condition(e.Y)
		case isNil(e.Y):
			w.wrap(e, "flipBool")
		default:
			names := map[token.Token]string{
				token.LSS: "flipLess", token.LEQ: "flipLessOrEqual", token.GTR: "flipMore", token.GEQ: "flipMoreOrEqual",
				token.EQL: "flipEqual", token.NEQ: "flipUnequal",
			}
			w.wrap(e, names[e.Op])
			at := w.offset(e.OpPos)
			w.insertions = append(w.insertions, insertion{at, len(e.Op.String()), ","})
		}
	default:
		w.wrap(e, "flipBool")
	}
}

// wrap puts the expression into a call of the helper. Comparisons of order have two flips: another border, and the opposite.
func (w *rewriter) wrap(e ast.Expr, helper string) {
	code := string(w.source[w.offset(e.Pos()):w.offset(e.End())])
	w.insertions = append(w.insertions,
		insertion{w.offset(e.Pos()), 0, fmt.Sprintf("%s(%d, ", helper, len(w.descriptions))}, insertion{w.offset(e.End()), 0, ")"})
	line := 1 + strings.Count(string(w.source[:w.offset(e.Pos())]), "\n")
	context := strings.TrimSpace(strings.Split(string(w.source), "\n")[line-1])
	w.descriptions = append(w.descriptions, code+" reversed, in: "+context)
	if helper != "flipBool" && helper != "flipEqual" && helper != "flipUnequal" {
		w.descriptions = append(w.descriptions, code+" with the other border, in: "+context)
	}
}

func (w *rewriter) text() string {
	slices.SortStableFunc(w.insertions, func(a, b insertion) int { return compare(a.at, b.at) })
	var b strings.Builder
	from := 0
	for _, i := range w.insertions {
		b.Write(w.source[from:i.at])
		b.WriteString(i.text)
		from = i.at + i.cut
	}
	b.Write(w.source[from:])
	return b.String()
}

// list is a file of the copy with all flips.
func (f *flips) list() string {
	var b strings.Builder
	b.WriteString("package linearizability\n\nfunc init() {\n\tflipper.flip = func(n int) { flipped, flipCalls = n, 0 }\n\tflipper.flips = []string{\n")
	for _, d := range f.descriptions {
		fmt.Fprintf(&b, "\t\t%q,\n", d)
	}
	b.WriteString("\t}\n}\n")
	return b.String()
}

// flipHelpers compare as the code does, but for the flip that is on. A loop that does not end any more panics.
const flipHelpers = `package linearizability

import "cmp"

var (
	flipped   = -1
	flipCalls int
)

// flip returns the outcome of a comparison, of its opposite, or of the one with the other border.
func flip(n int, is, other bool) bool {
	if flipped >= 0 {
		if flipCalls++; flipCalls > 3e8 {
			panic("it does not end")
		}
	}
	switch flipped {
	case n:
		return !is
	case n + 1:
		return other
	default:
		return is
	}
}

func flipBool(n int, is bool) bool {
	if flipped >= 0 {
		if flipCalls++; flipCalls > 3e8 {
			panic("it does not end")
		}
	}
	return is != (flipped == n)
}

func flipLess[T cmp.Ordered](n int, a, b T) bool        { return flip(n, a < b, a <= b) }
func flipLessOrEqual[T cmp.Ordered](n int, a, b T) bool { return flip(n, a <= b, a < b) }
func flipMore[T cmp.Ordered](n int, a, b T) bool        { return flip(n, a > b, a >= b) }
func flipMoreOrEqual[T cmp.Ordered](n int, a, b T) bool { return flip(n, a >= b, a > b) }
func flipEqual[T comparable](n int, a, b T) bool        { return flipBool(n, a == b) }
func flipUnequal[T comparable](n int, a, b T) bool      { return flipBool(n, a != b) }
`
