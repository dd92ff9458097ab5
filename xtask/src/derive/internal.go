// The order and types of the fields of the server's internal objects, which is how refusals
// quote them: crates/twin/data/internal.json.gz. They stand in no schema, only in Kubernetes' own
// type declarations, so this reads the Go sources of 1.36.1 as the module cache holds them:
//
//	go run xtask/src/derive/internal.go $(go env GOMODCACHE)/k8s.io | gzip -9 > internal.json.gz
//
// It needs nothing but Go's standard library, and no part of the product needs it to build.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
)

// A type, the package that declares it, and what its file imports.
type st struct {
	pkg  string
	node ast.Expr
	imp  map[string]string
}

var types = map[string]st{}

// load reads the type declarations of a package.
func load(pkg, dir string) {
	files, _ := filepath.Glob(dir + "/*.go")
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || strings.Contains(f, "zz_generated") {
			continue
		}
		fs := token.NewFileSet()
		a, err := parser.ParseFile(fs, f, nil, 0)
		if err != nil {
			continue
		}
		imp := map[string]string{}
		for _, i := range a.Imports {
			p := strings.Trim(i.Path.Value, `"`)
			n := filepath.Base(p)
			if i.Name != nil {
				n = i.Name.Name
			}
			imp[n] = p
		}
		for _, d := range a.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				t := s.(*ast.TypeSpec)
				types[pkg+"."+t.Name.Name] = st{pkg, t.Type, imp}
			}
		}
	}
}

var paths = map[string]string{
	"k8s.io/kubernetes/pkg/apis/core":        "core",
	"k8s.io/kubernetes/pkg/apis/apps":        "apps",
	"k8s.io/kubernetes/pkg/apis/autoscaling": "autoscaling",
	"k8s.io/apimachinery/pkg/apis/meta/v1":   "meta",
	"k8s.io/kubernetes/pkg/apis/batch":       "batch",
}

// typ is the short form of a type: s, i, b, t, q, x, y; * [ { before what they hold; @ a struct.
func typ(e ast.Expr, s st) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return "*" + typ(t.X, s)
	case *ast.ArrayType:
		in := typ(t.Elt, s)
		if in == "byte" {
			return "y"
		}
		return "[" + in
	case *ast.MapType:
		return "{" + typ(t.Value, s)
	case *ast.SelectorExpr:
		p := s.imp[t.X.(*ast.Ident).Name]
		full := p + "." + t.Sel.Name
		switch full {
		case "k8s.io/apimachinery/pkg/apis/meta/v1.Time", "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":
			return "t"
		case "k8s.io/apimachinery/pkg/api/resource.Quantity":
			return "q"
		case "k8s.io/apimachinery/pkg/util/intstr.IntOrString":
			return "x"
		case "k8s.io/apimachinery/pkg/types.UID":
			return "s"
		}
		if q, ok := paths[p]; ok {
			return named(q + "." + t.Sel.Name)
		}
		return "any"
	case *ast.Ident:
		switch t.Name {
		case "string":
			return "s"
		case "int", "int32", "int64", "uint32", "uint16", "float64", "uint64":
			return "i"
		case "bool":
			return "b"
		case "byte", "uint8":
			return "byte"
		}
		return named(s.pkg + "." + t.Name)
	}
	return "any"
}

// named is the short form of a declared type.
func named(n string) string {
	switch n {
	case "meta.Time":
		return "t"
	case "meta.FieldsV1":
		return "any"
	}
	d, ok := types[n]
	if !ok {
		return "any"
	}
	if _, ok := d.node.(*ast.StructType); ok {
		return "@" + n
	}
	return typ(d.node, d)
}

// fields are the names and types of a struct's fields, in the order of declaration.
func fields(n string) [][]string {
	d := types[n]
	out := [][]string{}
	for _, f := range d.node.(*ast.StructType).Fields.List {
		tag := ""
		if f.Tag != nil {
			tag = reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
		}
		if len(f.Names) == 0 {
			t := typ(f.Type, d)
			if strings.Contains(t, "meta.TypeMeta") {
				out = append(out, []string{"kind", "s", "o"}, []string{"apiVersion", "s", "o"})
				continue
			}
			name := strings.Split(tag, ",")[0]
			if name == "" && strings.HasPrefix(t, "@") {
				out = append(out, fields(t[1:])...)
				continue
			}
		}
		for _, id := range f.Names {
			if !ast.IsExported(id.Name) {
				continue
			}
			name, o := id.Name, ""
			if tag != "" {
				p := strings.Split(tag, ",")
				if p[0] == "-" {
					continue
				}
				if p[0] != "" {
					name = p[0]
				}
				if strings.Contains(tag, "omitempty") {
					o = "o"
				}
			}
			r := []string{name, typ(f.Type, d)}
			if o != "" {
				r = append(r, o)
			}
			out = append(out, r)
		}
	}
	return out
}

func main() {
	base := os.Args[1]
	groups := "core apps batch autoscaling policy networking rbac storage scheduling node " +
		"discovery coordination"
	for _, p := range strings.Fields(groups) {
		load(p, base+"/kubernetes@v1.36.1/pkg/apis/"+p)
	}
	load("apiextensions", base+"/apiextensions-apiserver@v0.36.1/pkg/apis/apiextensions")
	load("meta", base+"/apimachinery@v0.36.1/pkg/apis/meta/v1")
	all := map[string][][]string{}
	var need func(n string)
	need = func(n string) {
		if _, ok := all[n]; ok {
			return
		}
		if _, ok := types[n]; !ok {
			return
		}
		fs := fields(n)
		all[n] = fs
		for _, f := range fs {
			if i := strings.Index(f[1], "@"); i >= 0 {
				need(f[1][i+1:])
			}
		}
	}
	names := []string{}
	for n, d := range types {
		_, ok := d.node.(*ast.StructType)
		if ok && !strings.HasPrefix(n, "meta.") && !strings.HasSuffix(n, "List") {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	for _, n := range names {
		need(n)
	}
	b, _ := json.Marshal(all)
	fmt.Println(string(b))
}
