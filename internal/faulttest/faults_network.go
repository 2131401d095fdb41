package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// badWeather has the networks do what is given for some time.
func badWeather(w weather, least, most time.Duration, rng *rand.Rand, networks ...*proxy) {
	for _, n := range networks {
		n.set(w)
		defer n.set(weather{})
	}
	time.Sleep(between(rng, least, most))
}

// fronts are the networks between clients and servers.
func (r *rig) fronts() (networks []*proxy) {
	for _, s := range r.servers {
		networks = append(networks, s.front)
	}
	return networks
}

func cutCommits(_ context.Context, r *rig, rng *rand.Rand) error {
	badWeather(weather{cutOdds: 0.1}, 4*time.Second, 6*time.Second, rng, r.back)
	return nil
}

func cutClients(_ context.Context, r *rig, rng *rand.Rand) error {
	badWeather(weather{cutOdds: 0.05}, 4*time.Second, 6*time.Second, rng, r.fronts()...)
	return nil
}

func slowNetworks(_ context.Context, r *rig, rng *rand.Rand) error {
	badWeather(weather{delay: 100 * time.Millisecond}, 4*time.Second, 6*time.Second, rng, append(r.fronts(), r.back)...)
	return nil
}

// holdNetwork has everything between servers and Postgres arrive later.
func holdNetwork(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 2, func() error {
		badWeather(weather{holds: true}, time.Second, 5*time.Second, rng, r.back)
		return nil
	})
}

// loseConnections has all connections to Postgres lost without either side being told, as a firewall does that has
// forgotten them. New ones can be made afterwards.
func loseConnections(_ context.Context, r *rig, rng *rand.Rand) error {
	badWeather(weather{loses: true}, time.Second, 3*time.Second, rng, r.back)
	return nil
}
