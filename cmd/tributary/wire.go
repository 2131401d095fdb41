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

// newResolver makes the application layer, which all transports and the demo use.
func newResolver(store *db.Store) *graph.Resolver {
	return &graph.Resolver{Store: store, Now: now, ParseUserAgent: useragent.Parse}
}

// newHandler puts the packages together: all that the server answers.
func newHandler(store *db.Store, resolver *graph.Resolver, playground pages.Playground, log *slog.Logger) http.Handler {
	return server.New(server.Config{
		GraphQL:      graph.NewHandler(resolver),
		REST:         rest.NewHandler(resolver.Mutation(), store.Ping, now),
		Pages:        pages.New(pages.Config{Version: version, Playground: playground}),
		Tokens:       store,
		Now:          now,
		GraphQLError: graph.WriteError,
		RESTError:    rest.WriteError,
		Logger:       log,
	})
}
