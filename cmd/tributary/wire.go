package main

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/clientip"
	"tributary/internal/ratelimit"
	"tributary/internal/server"
	"tributary/internal/useragent"
	"tributary/rest"
)

// newResolver makes the application layer, which all transports and the demo use.
func newResolver(store graph.Store) *graph.Resolver {
	return &graph.Resolver{Store: store, Now: now, ParseUserAgent: useragent.Parse}
}

// newSenders tells what is to be known of those who send events.
func newSenders(proxies clientip.Proxies, countries *clientip.Countries, perSecond uint32, log *slog.Logger) rest.Senders {
	limiter := ratelimit.New[netip.Addr](perSecond)
	warnOnce := sync.OnceFunc(func() {
		log.Warn("events come through a proxy that is not trusted: all its visitors share one rate limit and one country; name it with --trusted-proxy")
	})
	return rest.Senders{
		Admit: func(r *http.Request) (time.Duration, bool) {
			answer := limiter.Admit(clientip.Client(proxies.Address(r)), now())
			// Everybody can send the header: from the internet it counts only once events are refused.
			forwarded := r.Header.Get("X-Forwarded-For") != "" && !proxies.FromProxy(r)
			if forwarded && (!answer.OK || clientip.IsLocal(r)) {
				warnOnce()
			}
			return answer.Wait, answer.OK
		},
		Country: countries.Country,
		IsBot:   useragent.IsBot,
	}
}

// newHandler puts the packages together: all that the server answers. The config has what the flags say.
func newHandler(config server.Config, store *db.Store, resolver *graph.Resolver, senders rest.Senders) http.Handler {
	config.GraphQL = graph.NewHandler(resolver)
	config.REST = rest.NewHandler(resolver.Mutation(), store.Ping, now, senders)
	config.Tokens, config.Now = store, now
	config.GraphQLError, config.RESTError = graph.WriteError, rest.WriteError
	return server.New(config)
}
