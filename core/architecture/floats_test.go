package architecture

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// checkFloats forbids floats to decide anything: machines may fuse multiply and add, and then round differently.
// Carrying a float from one place to another is fine, as are constants.
func (r *report) checkFloats(u *unit) {
	for _, file := range u.files {
		ast.Inspect(file, func(n ast.Node) bool {
			what, pos := floatUse(u, n)
			if what == "" {
				return true
			}
			if at := r.place(u.fset.Position(pos)); !r.excused("float", at) {
				r.add(at, "%s: rounding differs between machines; use integers (parts per million, nanoseconds), or say "+
					"//core:float and why", what)
			}
			return true
		})
	}
}

func floatUse(u *unit, n ast.Node) (what string, pos token.Pos) {
	float := func(e ast.Expr) bool {
		tv := u.info.Types[e]
		return tv.Type != nil && tv.Value == nil && anyOf(tv.Type, isFloat)
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if float(n.X) || float(n.Y) {
			return "float " + n.Op.String(), n.OpPos
		}
	case *ast.UnaryExpr:
		if n.Op == token.SUB && float(n.X) {
			return "float -", n.OpPos
		}
	case *ast.AssignStmt:
		if n.Tok != token.ASSIGN && n.Tok != token.DEFINE && float(n.Lhs[0]) {
			return "float " + n.Tok.String(), n.TokPos
		}
	case *ast.IncDecStmt:
		if float(n.X) {
			return "float " + n.Tok.String(), n.TokPos
		}
	case *ast.SwitchStmt:
		if n.Tag != nil && float(n.Tag) {
			return "switch on a float", n.Switch
		}
	case *ast.CallExpr:
		return floatCall(u, n, float)
	}
	return "", token.NoPos
}

// floatCall finds conversions to and from floats, and arithmetic done by package math.
func floatCall(u *unit, call *ast.CallExpr, float func(ast.Expr) bool) (string, token.Pos) {
	if tv := u.info.Types[call.Fun]; tv.IsType() && len(call.Args) == 1 {
		from, to := float(call.Args[0]), anyOf(tv.Type, isFloat)
		if u.info.Types[call].Value == nil && from != to && (from || number(u, call.Args[0])) {
			return "conversion of a float", call.Pos()
		}
		return "", token.NoPos
	}
	id := callee(call)
	if id == nil || u.info.Uses[id] == nil || u.info.Uses[id].Pkg() == nil || u.info.Uses[id].Pkg().Path() != "math" {
		return "", token.NoPos
	}
	if strings.HasSuffix(id.Name, "bits") { // Float64bits and Float64frombits carry, and change nothing
		return "", token.NoPos
	}
	return "math." + id.Name, call.Pos()
}

func number(u *unit, e ast.Expr) bool {
	tv := u.info.Types[e]
	return tv.Value == nil && anyOf(tv.Type, func(t types.Type) bool {
		b, ok := t.(*types.Basic)
		return ok && b.Info()&types.IsNumeric != 0
	})
}

func isFloat(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}
