package architecture

import (
	"go/ast"
	"go/token"
	"go/types"
)

// checkVariables forbids writes to package variables: two brokers in one process, as in a simulated cluster, would
// share them. What a pointer, map or slice kept in one hands out cannot be followed here; review must.
func (r *report) checkVariables(u *unit) {
	declared := declarations(u)
	told := func(e ast.Expr, how string, pos token.Pos) {
		variable := packageVariable(u, e)
		if variable == nil {
			return
		}
		at := r.place(u.fset.Position(pos))
		if r.excused("variable", at) {
			return
		}
		if d, ok := declared[variable]; ok && r.excused("variable", r.place(u.fset.Position(d))) {
			return
		}
		r.add(at, "package variable %s is %s: keep state in a struct, or say //core:variable and why here or where it is "+
			"declared", variable.Name(), how)
	}
	for _, file := range u.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					told(left, "written", left.Pos())
				}
			case *ast.IncDecStmt:
				told(n.X, "written", n.Pos())
			case *ast.RangeStmt:
				told(n.Key, "written", n.Pos())
				told(n.Value, "written", n.Pos())
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					told(n.X, "addressed", n.Pos())
				}
			case *ast.SliceExpr:
				if t := u.info.TypeOf(n.X); t != nil {
					if _, array := t.Underlying().(*types.Array); array {
						told(n.X, "addressed", n.Pos())
					}
				}
			case *ast.CallExpr:
				if id := callee(n); id != nil && len(n.Args) > 0 {
					if b, ok := u.info.Uses[id].(*types.Builtin); ok && writes[b.Name()] {
						told(n.Args[0], "written", n.Pos())
					}
				}
			case *ast.SelectorExpr:
				if addressesReceiver(u, n) {
					told(n.X, "addressed", n.Pos())
				}
			}
			return true
		})
	}
}

// writes are the builtins that change their first argument.
var writes = map[string]bool{"clear": true, "copy": true, "delete": true}

// addressesReceiver tells the hidden & of v.Method() where v is a value and the method's receiver a pointer.
func addressesReceiver(u *unit, sel *ast.SelectorExpr) bool {
	s := u.info.Selections[sel]
	if s == nil || s.Kind() != types.MethodVal {
		return false
	}
	receiver := s.Obj().(*types.Func).Signature().Recv().Type()
	_, wants := types.Unalias(receiver).(*types.Pointer)
	_, has := types.Unalias(s.Recv()).(*types.Pointer)
	_, abstract := receiver.Underlying().(*types.Interface)
	return wants && !has && !abstract && !s.Indirect()
}

// packageVariable is the package variable that writing to e, or taking its address, reaches; nil if there is none.
func packageVariable(u *unit, e ast.Expr) *types.Var {
	for e != nil {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.SelectorExpr:
			if u.info.Selections[x] == nil { // a name of another package
				return packageLevel(u.info.Uses[x.Sel])
			}
			e = x.X
		case *ast.Ident:
			return packageLevel(u.info.Uses[x])
		default:
			return nil
		}
	}
	return nil
}

func packageLevel(o types.Object) *types.Var {
	if v, ok := o.(*types.Var); ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		return v
	}
	return nil
}

func declarations(u *unit) map[*types.Var]token.Pos {
	all := map[*types.Var]token.Pos{}
	for id, o := range u.info.Defs {
		if v := packageLevel(o); v != nil {
			all[v] = id.Pos()
		}
	}
	return all
}
