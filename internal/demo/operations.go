package demo

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// operationFiles hold one operation each, in the order of their names, with its variables beside it.
//
//go:embed operations
var operationFiles embed.FS

// Operation is an example for the GraphQL playground, to be run with the demo website's key.
type Operation struct {
	Name      string // of the operation in the query
	Query     string // begins with a comment that says what it shows
	Variables string // a JSON object; "" if the query has none
}

var operationName = regexp.MustCompile(`(?m)^(?:query|mutation) (\w+)`)

// Operations are examples in the order in which they are best tried: what is recorded is refunded by
// a later one. To run them again changes nothing more.
func Operations() []Operation {
	files, err := operationFiles.ReadDir("operations")
	if err != nil {
		panic(fmt.Sprintf("demo: %v", err))
	}
	var operations []Operation
	for _, file := range files {
		base, isQuery := strings.CutSuffix(file.Name(), ".graphql")
		if !isQuery {
			continue
		}
		query := readOperation(base + ".graphql")
		operations = append(operations, Operation{
			Name: operationName.FindStringSubmatch(query)[1], Query: query, Variables: readOperation(base + ".json"),
		})
	}
	return operations
}

// readOperation is the text of a file; "" if it is not there.
func readOperation(name string) string {
	text, err := operationFiles.ReadFile(path.Join("operations", name))
	if err != nil {
		return ""
	}
	return string(text)
}
