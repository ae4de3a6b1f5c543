package architecture

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// checkConstructs forbids what would let anything but the seed decide what happens next.
func (r *report) checkConstructs(u *unit) {
	room, _ := u.room()
	for _, file := range u.files {
		ast.Inspect(file, func(n ast.Node) bool {
			if n == nil {
				return false
			}
			if message := forbiddenSyntax(u, n); message != "" {
				r.add(r.place(u.fset.Position(n.Pos())), "%s", message)
			}
			if id, ok := n.(*ast.Ident); ok {
				r.checkName(u, room, id)
			}
			return true
		})
	}
}

func forbiddenSyntax(u *unit, n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go statement: core runs on one loop; start a task"
	case *ast.ChanType:
		return "channel: core runs on one loop; use what core/task offers to wait"
	case *ast.SendStmt:
		return "channel send: core runs on one loop; complete a task.Pending"
	case *ast.SelectStmt:
		return "select: core runs on one loop; use what core/task offers to wait"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "channel receive: core runs on one loop; wait for a task.Pending"
		}
	case *ast.RangeStmt:
		if anyOf(u.info.TypeOf(n.X), func(t types.Type) bool { _, is := t.(*types.Chan); return is }) {
			return "range over a channel: core runs on one loop; wait for a task.Pending"
		}
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			return "func init: nothing happens before the loop starts; write the value out, or make it in a constructor"
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING && pointerVerb.MatchString(strings.ReplaceAll(n.Value, "%%", "")) {
			return "%p prints an address, which differs from run to run: print an id"
		}
	}
	return ""
}

var pointerVerb = regexp.MustCompile(`%[-+# 0]*[0-9]*p`)

// anyOf says whether a type, or one of the types a type parameter stands for, is of a kind.
func anyOf(t types.Type, is func(types.Type) bool) bool {
	if t == nil {
		return false
	}
	set, ok := t.Underlying().(*types.Interface)
	if !ok {
		return is(t.Underlying())
	}
	if _, ok := types.Unalias(t).(*types.TypeParam); !ok {
		return false
	}
	for embedded := range set.EmbeddedTypes() {
		if union, ok := embedded.(*types.Union); ok {
			for term := range union.Terms() {
				if anyOf(term.Type(), is) {
					return true
				}
			}
		} else if _, nested := embedded.Underlying().(*types.Interface); !nested && is(embedded.Underlying()) {
			return true
		}
	}
	return false
}

// checkName looks at what is used of the packages that core may use in part, and at recover.
func (r *report) checkName(u *unit, room string, id *ast.Ident) {
	object := u.info.Uses[id]
	if object == nil {
		return
	}
	at := r.place(u.fset.Position(id.Pos()))
	if builtin, ok := object.(*types.Builtin); ok {
		switch {
		case builtin.Name() == "recover" && room != taskRoom:
			r.add(at, "recover: a panic is our own mistake and stops the broker; only core/task recovers")
		case builtin.Name() == "print" || builtin.Name() == "println":
			r.add(at, "%s: core has no terminal; return the text", builtin.Name())
		}
		return
	}
	if object.Pkg() == nil || object.Parent() != object.Pkg().Scope() {
		return // a method or field, or a name of the language
	}
	path := object.Pkg().Path()
	rule, ok := names[path]
	if !ok {
		return
	}
	if rule.allow != nil && !slices.Contains(rule.allow, object.Name()) || slices.Contains(rule.deny, object.Name()) {
		r.add(at, "%s.%s: %s", path, object.Name(), rule.hint)
	}
}

// checkMaps forbids to walk a map in its random order.
func (r *report) checkMaps(u *unit) {
	for _, file := range u.files {
		sorted := map[*ast.Ident]bool{} // Keys and Values directly inside slices.Sorted
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.RangeStmt:
				isMap := anyOf(u.info.TypeOf(n.X), func(t types.Type) bool { _, is := t.(*types.Map); return is })
				at := r.place(u.fset.Position(n.Pos()))
				if isMap && !r.excused("unordered", at) {
					r.add(at, "range over a map: its order is random; use core/ordered or slices.Sorted(maps.Keys(m)), or say "+
						"//core:unordered and why")
				}
			case *ast.CallExpr:
				if id := callee(n); isStd(u, id, "slices", "Sorted") {
					if inside, ok := n.Args[0].(*ast.CallExpr); ok {
						sorted[callee(inside)] = true
					}
				}
			case *ast.Ident:
				r.checkMapName(u, n, sorted)
			}
			return true
		})
	}
}

func (r *report) checkMapName(u *unit, id *ast.Ident, sorted map[*ast.Ident]bool) {
	keys := isStd(u, id, "maps", "Keys", "Values")
	if !keys && !isStd(u, id, "maps", "All", "DeleteFunc", "EqualFunc") || keys && sorted[id] {
		return
	}
	if at := r.place(u.fset.Position(id.Pos())); !r.excused("unordered", at) {
		r.add(at, "maps.%s: its order is random; use core/ordered or slices.Sorted(maps.Keys(m)), or say "+
			"//core:unordered and why", id.Name)
	}
}

// callee is the name a call calls, or nil.
func callee(call *ast.CallExpr) *ast.Ident {
	fun := ast.Unparen(call.Fun)
	for {
		switch f := fun.(type) {
		case *ast.IndexExpr:
			fun = ast.Unparen(f.X)
		case *ast.IndexListExpr:
			fun = ast.Unparen(f.X)
		case *ast.SelectorExpr:
			return f.Sel
		case *ast.Ident:
			return f
		default:
			return nil
		}
	}
}

// isStd says whether a name means one of these of a package.
func isStd(u *unit, id *ast.Ident, path string, of ...string) bool {
	if id == nil {
		return false
	}
	o := u.info.Uses[id]
	return o != nil && o.Pkg() != nil && o.Pkg().Path() == path && o.Parent() == o.Pkg().Scope() &&
		slices.Contains(of, o.Name())
}
