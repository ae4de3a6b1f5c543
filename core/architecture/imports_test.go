package architecture

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// checkImports holds a package's imports, or its tests' imports, against the tables.
func (r *report) checkImports(u *unit, tests bool) {
	for _, file := range u.files {
		for _, spec := range file.Imports {
			r.checkImport(u, spec, tests)
		}
	}
	if tests || len(u.files) == 0 {
		return
	}
	at := r.place(u.fset.Position(u.files[0].Package))
	at.line = 0
	at.file = path.Dir(at.file)
	if room, ok := u.room(); ok {
		r.checkRoom(at, room)
	} else if _, known := top[tree(u.path)]; !known {
		r.add(at, "%s is not one of the module's top-level names; add it to top in tables_test.go if it must be", u.path)
	}
}

// checkRoom makes sure the tables know the package.
func (r *report) checkRoom(at place, room string) {
	_, known := floors[room]
	if known || inner[room] != "" || outside[room] != "" {
		return
	}
	if parent := path.Dir(room); parent != "." {
		r.add(at, "core/%s is not in the table of inner packages: add it to inner in tables_test.go, and say why "+
			"core/%s needs it", room, parent)
		return
	}
	r.add(at, "core/%s has no floor: give it one in floors in tables_test.go", room)
}

func (r *report) checkImport(u *unit, spec *ast.ImportSpec, tests bool) {
	at := r.place(u.fset.Position(spec.Pos()))
	to, _ := strconv.Unquote(spec.Path.Value)
	mine, ok := ours(to)
	if ok {
		if !r.checkTop(u, at, mine, tests) {
			return
		}
	}
	room, inCore := u.room()
	if tests || !inCore || outside[room] != "" {
		return
	}
	if ok {
		r.checkFloor(at, room, to)
		return
	}
	r.checkForeign(at, room, to)
}

// tree is the top-level name a package of ours is under.
func tree(importPath string) string {
	mine, ok := ours(importPath)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(mine, "/")
	return name
}

// checkTop holds an import of ours against the rules for whole trees. It says whether the import may still be right.
func (r *report) checkTop(u *unit, at place, mine string, tests bool) bool {
	from, to := tree(u.path), tree(module+"/"+mine)
	self, _ := ours(u.path)
	switch {
	case to == "cmd" && from != "cmd":
		r.add(at, "%s imports %s: nothing imports a command", self, mine)
		return false
	case mine == "core/"+suite:
		if !tests || !underAny(self, suiteUsers) {
			r.add(at, "%s imports %s: only tests of %s may", self, mine, strings.Join(suiteUsers, ", "))
			return false
		}
		return true
	case from == to && from != "core":
		return true
	}
	if !tests && isInner(mine) && !underAny(self, []string{path.Dir(mine), "fuzz"}) {
		r.add(at, "%s imports %s: only core/%s may, an inner package serves its room alone",
			self, mine, path.Dir(strings.TrimPrefix(mine, "core/")))
		return false
	}
	allowed, known := top[from]
	if !known || tests && !slices.Contains(testsToo, from) {
		return true // an unknown tree is told of once, by its name
	}
	for _, a := range allowed {
		if all, ok := strings.CutSuffix(a, "/..."); a == mine || ok && under(mine, all) {
			return true
		}
	}
	if len(allowed) == 0 {
		r.add(at, "%s imports %s: %s imports nothing of ours", self, mine, from)
		return false
	}
	r.add(at, "%s imports %s: of ours, %s imports only %s", self, mine, from, strings.Join(allowed, ", "))
	return false
}

// checkFloor is the rule of the house: a package of core imports only lower floors.
func (r *report) checkFloor(at place, room, to string) {
	target, ok := roomOf(to)
	if !ok {
		return // told by checkTop
	}
	if sameFloor[[2]string{room, target}] != "" {
		return
	}
	from, okFrom := floorOf(room)
	floor, okTo := floorOf(target)
	name := strings.TrimSuffix("core/"+room, "/")
	switch {
	case outside[target] != "":
		r.add(at, "%s imports core/%s, which is no part of the broker: %s", name, target, outside[target])
	case !okFrom || !okTo:
		// The package without a floor is told of by checkRoom, once it is listed.
	case path.Dir(target) == room && inner[target] != "":
		// A room stands on its own inner packages.
	case isInner("core/"+room) && isInner("core/"+target):
		r.add(at, "%s imports core/%s: inner packages of a room do not import each other; move what both need below, "+
			"or add the pair to sameFloor in tables_test.go", name, target)
	case floor == from:
		r.add(at, "%s imports core/%s: both are on floor %d; move what both need below, or add the pair to sameFloor "+
			"in tables_test.go with a reason", name, target, from)
	case floor > from:
		r.add(at, "%s (floor %d) imports %s (floor %d): a package imports only lower floors",
			name, from, strings.TrimSuffix("core/"+target, "/"), floor)
	}
}

// floorOf is a room's floor; an inner package has its room's.
func floorOf(room string) (floor int, ok bool) {
	first, _, _ := strings.Cut(room, "/")
	floor, ok = floors[first]
	return floor, ok
}

// checkForeign holds imports of the standard library and of other modules against the lists.
func (r *report) checkForeign(at place, room, to string) {
	name := strings.TrimSuffix("core/"+room, "/")
	if first, _, _ := strings.Cut(to, "/"); strings.Contains(first, ".") {
		if !slices.Contains(thirdParty, room) {
			r.add(at, "%s imports %s: of core, only core/%s imports other modules",
				name, to, strings.Join(thirdParty, ", core/"))
		}
		return
	}
	rooms, listed := stdlib[to]
	if listed && (rooms == nil || slices.Contains(rooms, room)) {
		return
	}
	if hint := importHint(to); hint != "" {
		r.add(at, "%s imports %s: %s", name, to, hint)
		return
	}
	if listed {
		r.add(at, "%s imports %s: of core, only core/%s may", name, to, strings.Join(rooms, ", core/"))
		return
	}
	r.add(at, "%s imports %s: core may not; if it is pure and the same on every machine, add it to stdlib in "+
		"tables_test.go", name, to)
}

func importHint(to string) string {
	for p := to; p != "."; p = path.Dir(p) {
		if hint := importHints[p]; hint != "" {
			return hint
		}
	}
	return ""
}

// isInner tells an inner package of a room of core, listed or not.
func isInner(mine string) bool {
	room, ok := strings.CutPrefix(mine, "core/")
	return ok && strings.Contains(room, "/") && outside[room] == ""
}

// under says whether a path is a tree's root or inside it.
func under(p, root string) bool {
	return p == root || strings.HasPrefix(p, root+"/")
}

func underAny(p string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return under(p, root) })
}
