// Package model is the domain of Tributary: money and time, payments and visits, revenue, who may do
// what, and the errors that clients see. It is pure: it knows no transport and no database, and its
// inputs validate themselves.
package model
