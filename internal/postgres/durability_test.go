package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/postgres"
)

func TestCheckDurability(t *testing.T) {
	t.Parallel()
	cfg := fast(t.TempDir())
	cfg.Settings = nil
	server := start(t, cfg)

	require.NoError(t, postgres.CheckDurability(t.Context(), server.URL()))

	mustQuery(t, server.AdminURL(), "ALTER ROLE tributary SET synchronous_commit = off")
	err := postgres.CheckDurability(t.Context(), server.URL())
	require.ErrorIs(t, err, postgres.ErrNotDurable)
	require.ErrorContains(t, err, "RESET synchronous_commit")
	_, err = postgres.Start(t.Context(), cfg)
	require.ErrorIs(t, err, postgres.ErrNotDurable, "a second process does not use such a server")

	unsafe := start(t, fast(t.TempDir()))
	err = postgres.CheckDurability(t.Context(), unsafe.URL())
	require.ErrorIs(t, err, postgres.ErrNotDurable)
	require.ErrorContains(t, err, "ALTER SYSTEM SET fsync = on")

	err = postgres.CheckDurability(t.Context(), "postgres://someone:secret@127.0.0.1:1/none?connect_timeout=2")
	require.Error(t, err)
	require.NotErrorIs(t, err, postgres.ErrNotDurable)
	require.NotContains(t, err.Error(), "secret")
}
