package model_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	require.NoError(t, err)
	var declared []model.Code
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 && fmt.Sprint(spec.Type) == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, model.Code(text))
		}
		return true
	})
	require.NotEmpty(t, declared)
	require.ElementsMatch(t, declared, model.Codes, "Codes lists every code")
	for _, code := range model.Codes {
		require.Regexp(t, `^[A-Z]+(_[A-Z]+)*$`, code)
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, code.Reason())
	}
	require.Equal(t, "invalid_json", model.CodeInvalidJSON.Reason())
}

func TestError(t *testing.T) {
	t.Parallel()
	fault := model.Errorf(model.CodeTooManyItems, "first", "at most %d", 100)
	require.EqualError(t, fault, "TOO_MANY_ITEMS: at most 100")
	require.Same(t, fault, model.AsError(fmt.Errorf("while reading: %w", fault)))
	require.Same(t, fault, model.AsError(errors.Join(errors.New("other"), fault)))
	require.Nil(t, model.AsError(errors.New("other")))
	require.Nil(t, model.AsError(nil))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var none model.Faults
	none.Add("field", nil)
	require.NoError(t, none.Err())

	var faults model.Faults
	shared := model.Errorf(model.CodeInvalidField, "", "bad")
	faults.Add("first", shared)
	faults.Add("second", model.Errorf(model.CodeInvalidRange, "its own", "bad"))
	faults.Add("third", errors.New("secret of the database"))
	err := faults.Err()
	require.Equal(t, []string{"first", "its own", "third"}, faultFields(err))
	require.Empty(t, shared.Field, "an error that is shared is not changed")
	require.Equal(t, model.CodeInvalidField, model.AsError(err).Code)
	require.Equal(t, model.CodeInternal, model.AsError(err).Others[1].Code)
	require.NotContains(t, model.AsError(err).Others[1].Message, "secret")
}
