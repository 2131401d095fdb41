package main

import (
	"log/slog"
	"net/http"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/server"
	"tributary/internal/server/pages"
	"tributary/internal/useragent"
	"tributary/rest"
)

// newHandler puts the packages together: all that the server answers, over one store.
func newHandler(store *db.Store, demo *demoView, log *slog.Logger) http.Handler {
	resolver := &graph.Resolver{Store: store, Now: now, ParseUserAgent: useragent.Parse}
	return server.New(server.Config{
		GraphQL:      graph.NewHandler(resolver),
		REST:         rest.NewHandler(resolver.Mutation(), store.Ping, now),
		Pages:        pages.New(pages.Config{Version: version, Playground: demo.playground()}),
		Tokens:       store,
		Now:          now,
		GraphQLError: graph.WriteError,
		RESTError:    rest.WriteError,
		Logger:       log,
	})
}
