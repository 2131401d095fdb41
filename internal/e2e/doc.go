// Package e2e has no code: its tests run the whole server, as it is wired for production, over HTTP
// and a real Postgres. What one package promises is tested there; here is what only all of them together
// can promise, with the published contract watching every exchange of the REST API.
package e2e
