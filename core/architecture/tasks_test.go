package architecture

import (
	"go/ast"
	"go/token"
	"go/types"
)

// checkTasks keeps waiting visible: whatever may wait has a *task.Task as its first parameter, hands on its own, and
// never waits while it is deferred.
func (r *report) checkTasks(u *unit) {
	room, _ := u.room()
	for _, file := range u.files {
		var deferred []span
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncType:
				r.checkTaskFirst(u, n)
			case *ast.DeferStmt:
				if room != taskRoom {
					deferred = append(deferred, span{n.Pos(), n.End()})
					r.checkDeferred(u, n)
				}
			case *ast.FuncLit:
				if room != taskRoom && !inside(n, deferred) {
					r.checkCapture(u, n)
				}
			}
			return true
		})
	}
}

type span struct{ from, to token.Pos }

func inside(n ast.Node, spans []span) bool {
	for _, s := range spans {
		if s.from <= n.Pos() && n.Pos() < s.to {
			return true
		}
	}
	return false
}

// checkTaskFirst looks at every signature: of functions, methods, literals, interface methods and function types.
func (r *report) checkTaskFirst(u *unit, signature *ast.FuncType) {
	index := 0
	for _, field := range signature.Params.List {
		t := u.info.TypeOf(field.Type)
		if dots, ok := field.Type.(*ast.Ellipsis); ok {
			t = u.info.TypeOf(dots.Elt)
			index++ // several tasks are not one task first
		}
		if isTask(t) && (index > 0 || len(field.Names) > 1) {
			r.add(r.place(u.fset.Position(field.Pos())), "*task.Task is not the first and only one of the parameters: "+
				"a function that may wait takes t *task.Task first")
			return
		}
		index += max(1, len(field.Names))
	}
}

// checkDeferred finds tasks inside a deferred call, its arguments and the body of its literal.
func (r *report) checkDeferred(u *unit, n *ast.DeferStmt) {
	for _, id := range tasksUsed(u, n) {
		r.add(r.place(u.fset.Position(id.Pos())), "task %s in a deferred call: deferred functions never wait, they run "+
			"while a task is being killed too", id.Name)
	}
}

// checkCapture finds literals that use the task of the function around them. A literal may run after that function has
// returned, in another task's time.
func (r *report) checkCapture(u *unit, literal *ast.FuncLit) {
	for _, id := range tasksUsed(u, literal.Body) {
		if o := u.info.Uses[id]; literal.Pos() <= o.Pos() && o.Pos() < literal.End() {
			continue // its own, or of a literal within
		}
		at := r.place(u.fset.Position(id.Pos()))
		if r.excused("task", at) || r.excused("task", r.place(u.fset.Position(literal.Pos()))) {
			continue
		}
		r.add(at, "task %s of the function around this literal: give the literal its own t *task.Task as first parameter, "+
			"or say //core:task and why", id.Name)
	}
}

func tasksUsed(u *unit, n ast.Node) []*ast.Ident {
	var found []*ast.Ident
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := u.info.Uses[id].(*types.Var); ok && isTask(v.Type()) {
				found = append(found, id)
			}
		}
		return true
	})
	return found
}

func isTask(t types.Type) bool {
	if t == nil {
		return false
	}
	pointer, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := types.Unalias(pointer.Elem()).(*types.Named)
	if !ok {
		return false
	}
	o := named.Obj()
	return o.Name() == "Task" && o.Pkg() != nil && o.Pkg().Path() == module+"/core/"+taskRoom
}
