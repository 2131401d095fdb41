package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// transcript is what a generated client prints: each of its steps with what the server made of it.
const transcript = `record: Payment recorded and attributed successfully (payment_456)
record again: Payment already recorded (payment_456)
refund: Refund recorded and attributed successfully (refund_1)
record by Faurya: Payment recorded successfully (payment_789)
record by Faurya again: 400 duplicate_transaction transaction_id
record without a key: 401 unauthorized
delete: Payment deleted successfully (1)
delete again: 404 payment_not_found transaction_id
delete a range: All payments for visitor deleted successfully within time range (0)
delete by Faurya: Payment events deleted (2)
`

// customer starts a stack for a generated client, and fetches the published contract into a file.
func customer(t *testing.T, path string) (s *stack, contract string, env []string) {
	t.Helper()
	s = start(t, options{Wrap: watched(t)})
	s.visit(t, "ada")
	res, err := http.Get(s.url + path)
	require.NoError(t, err)
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	contract = filepath.Join(t.TempDir(), filepath.Base(path))
	require.NoError(t, os.WriteFile(contract, content, 0o600))
	return s, contract, []string{"BASE_URL=" + s.url, "API_KEY=" + s.key}
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	require.NoError(t, err)
	return path
}

// The client is generated into a temporary folder and laid over testdata/goclient, where it is compiled
// with the module's own dependencies.
func TestGeneratedClient_go(t *testing.T) {
	t.Parallel()
	goTool := program(t, "go")
	s, contract, env := customer(t, "/openapi.yaml")
	dir := t.TempDir()
	generated := filepath.Join(dir, "client.gen.go")
	run(t, root(t), nil, goTool, "tool", "-modfile=tools/go.mod", "oapi-codegen", "-generate", "types,client", "-package", "main", "-o", generated, contract)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root(t), "internal/e2e/testdata/goclient/client.gen.go"): generated,
	}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	client := filepath.Join(dir, "client")
	run(t, root(t), nil, goTool, "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", client, "./internal/e2e/testdata/goclient")

	require.Equal(t, transcript, run(t, dir, env, client))
	require.Zero(t, s.count(t, "payments"))
}

func TestGeneratedClient_typescript(t *testing.T) {
	t.Parallel()
	node := program(t, "node")
	s, contract, env := customer(t, "/openapi.json")
	dir := withModules(t, "testdata/tsclient")
	run(t, dir, nil, node, "node_modules/openapi-typescript/bin/cli.js", contract, "-o", "contract.d.ts")
	run(t, dir, nil, node, "node_modules/typescript/bin/tsc", "--project", ".")

	require.Equal(t, transcript, run(t, dir, env, node, "client.js"))
	require.Zero(t, s.count(t, "payments"))
}
