package graph_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	gql "github.com/vektah/gqlparser/v2/ast"

	"tributary/graph/generated"
)

func schema() *gql.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

func TestSchema(t *testing.T) {
	t.Parallel()

	t.Run("everything is described", func(t *testing.T) {
		t.Parallel()
		described := func(what, description string) {
			require.Regexp(t, `(?s)^[A-Z0-9\x60].*[.]$`, strings.TrimSpace(description), "%s needs a description that is a sentence", what)
		}
		described("the schema", schema().Description)
		for name, def := range schema().Types {
			if def.BuiltIn {
				continue
			}
			described(name, def.Description)
			for _, value := range def.EnumValues {
				described(name+"."+value.Name, value.Description)
			}
			for _, field := range def.Fields {
				if strings.HasPrefix(field.Name, "__") {
					continue
				}
				described(name+"."+field.Name, field.Description)
				for _, arg := range field.Arguments {
					described(name+"."+field.Name+"("+arg.Name+")", arg.Description)
				}
			}
		}
	})

	t.Run("lists are connections of at most 100", func(t *testing.T) {
		t.Parallel()
		for name, def := range schema().Types {
			for _, field := range def.Fields {
				if !strings.HasSuffix(field.Type.Name(), "Connection") {
					continue
				}
				first := field.Arguments.ForName("first")
				require.NotNil(t, first, "%s.%s", name, field.Name)
				require.Equal(t, "20", first.DefaultValue.Raw)
				require.Contains(t, first.Description, "1 to 100")
				require.NotNil(t, field.Arguments.ForName("after"))
			}
		}
	})

	t.Run("every type is bound to the model", func(t *testing.T) {
		t.Parallel()
		file, err := parser.ParseFile(token.NewFileSet(), "generated/unbound.go", nil, 0)
		require.NoError(t, err)
		var names []string
		for _, decl := range file.Decls {
			for _, spec := range decl.(*ast.GenDecl).Specs {
				names = append(names, spec.(*ast.TypeSpec).Name.Name)
			}
		}
		require.Equal(t, []string{"Mutation", "Query"}, names, "bind the others in gqlgen.yml or name them as in package model")
	})

	t.Run("input fields that are not required may be left out", func(t *testing.T) {
		t.Parallel()
		for name, def := range schema().Types {
			for _, field := range def.Fields {
				if def.Kind == gql.InputObject && field.Type.NonNull {
					require.Nil(t, field.DefaultValue, "%s.%s", name, field.Name)
				}
			}
		}
	})
}
