package dbtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadStatements(t *testing.T) {
	t.Parallel()
	const log = "2026-11-27 12:00:00.000 UTC [1] tributary LOG:  statement: SELECT 1\n" +
		"\tFROM payments\n" +
		"2026-11-27 12:00:00.001 UTC [2] psql LOG:  statement: SELECT 2\n" +
		"2026-11-27 12:00:00.002 UTC [3] tributary LOG:  execute <unnamed>: SELECT 3\n" +
		"2026-11-27 12:00:00.003 UTC [3] tributary LOG:  execute kept1: SELECT $1, $2\n" +
		"2026-11-27 12:00:00.003 UTC [3] tributary DETAIL:  parameters: $1 = 'a $2\n" +
		"\t''', $2 = NULL\n" +
		"2026-11-27 12:00:00.004 UTC [3] tributary LOG:  execute kept1: SELECT $1, $2\n" +
		"2026-11-27 12:00:00.004 UTC [3] tributary DETAIL:  parameters: $1 = 'again', $2 = NULL\n" +
		"2026-11-27 12:00:00.005 UTC [2] psql LOG:  statement: SELECT 4\n"
	read := func(log string) (messages []string) {
		require.NoError(t, readStatements(strings.NewReader(log), func(message string) {
			messages = append(messages, message)
		}))
		return messages
	}
	require.Equal(t, []string{"SELECT 1\nFROM payments\n", "SELECT 3\n", "SELECT 'a $2\n''', NULL\n"}, read(log), "the first of those that are kept")
	whole := log[:strings.LastIndex(log, "2026-11-27 12:00:00.004 UTC [3] tributary LOG")]
	require.Equal(t, []string{"SELECT 1\nFROM payments\n", "SELECT 3\n"}, read(whole[:len(whole)-3]), "the last is still being written")
}
