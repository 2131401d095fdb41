package rest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/openapi"
)

// payments are bodies that clients send: the least that brings a payment to a visitor, and all that there is.
var payments = map[string]string{
	"DataFast": `{"amount":29.99,"currency":"USD","transaction_id":"payment_456","datafast_visitor_id":"3f1c2e80-6a5f-4d58-9a5e-5b1f0f0c8a11"}`,
	"every DataFast field": `{
		"amount": 1234567.89, "currency": "usd", "transaction_id": "payment_456", "datafast_visitor_id": "visitor-1", "datafast_session_id": "session-1",
		"email": "ada@example.com", "name": "Ada Lov\u00e9lace", "customer_id": "cus_123", "renewal": true, "refunded": false, "is_free_trial": false,
		"timestamp": "2026-05-01T10:00:00.123+02:00", "metadata": {"plan": "starter", "provider": "custom_checkout", "seats": 3, "trial": null}, "note": {"a": [1, "b"]}
	}`,
	"Faurya": `{"faurya_visitor_id":"v1","faurya_session_id":"s1","transaction_id":"payment_456","amount":29.99,"metadata":{"plan":"starter","seats":3}}`,
}

func BenchmarkDecodePayment(b *testing.B) {
	for name, text := range payments {
		body := []byte(text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				rec, err := fromAPIPayment(body, openapi.RecordPaymentParams{})
				if err != nil || len(rec.input.Faults) > 0 {
					require.NoError(b, err)
					b.Fatal(rec.input.Faults.Err())
				}
			}
		})
	}
}
