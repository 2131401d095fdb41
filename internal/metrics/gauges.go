package metrics

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/db"
)

// WatchRequests shows how many requests are worked on, as inFlight tells.
func (m *Metrics) WatchRequests(inFlight func() int) {
	m.gauge("tributary_http_requests_in_flight", "Requests that are worked on, of 2,048 at most.", nil, func() float64 { return float64(inFlight()) })
}

// WatchPool shows the connections to a database, named primary or replica.
func (m *Metrics) WatchPool(database string, pool func() sql.DBStats) {
	label := prometheus.Labels{"database": database}
	m.gauge("tributary_db_connections_max", "Connections that the pool may have.", label, func() float64 { return float64(pool().MaxOpenConnections) })
	m.gauge("tributary_db_connections_open", "Connections that the pool has.", label, func() float64 { return float64(pool().OpenConnections) })
	m.gauge("tributary_db_connections_in_use", "Connections at work.", label, func() float64 { return float64(pool().InUse) })
	m.counter("tributary_db_connection_waits_total", "Waits for a connection.", label, func() float64 { return float64(pool().WaitCount) })
	m.counter("tributary_db_connection_wait_seconds_total", "Time waited for connections.", label, func() float64 { return pool().WaitDuration.Seconds() })
}

// WatchReplica shows the connections to a replica and whether it is used.
func (m *Metrics) WatchReplica(replicated *db.Replicated) {
	m.WatchPool("replica", replicated.ReplicaPool)
	m.gauge("tributary_replica_used", "1 while reports are read from the replica, 0 while all come from the primary.", nil, func() float64 {
		if replicated.ReplicaUsed() {
			return 1
		}
		return 0
	})
}

// WatchCommits shows a store's transactions that several writes may share, and what waits for them. It is called before
// the store is used.
func (m *Metrics) WatchCommits(store *db.Store) {
	store.ObserveCommits(m.committed)
	for _, of := range db.CommitKinds {
		m.gauge("tributary_commit_waiting", "Payments, pageviews or other events that wait for their transaction.",
			prometheus.Labels{"of": of}, func() float64 { return float64(store.Uncommitted()[of]) })
	}
}

func (m *Metrics) gauge(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value))
}

func (m *Metrics) counter(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, value))
}
