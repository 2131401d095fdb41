// Command goclient uses the client that oapi-codegen generates from the published contract, as a customer
// would. The test that runs it adds the generated file to this package.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	log.SetFlags(0)
	url, key := os.Getenv("BASE_URL"), os.Getenv("API_KEY")
	authorize := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		return nil
	}
	client, err := NewClientWithResponses(url, WithRequestEditorFn(authorize))
	must(err)
	anonymous, err := NewClientWithResponses(url)
	must(err)
	ctx := context.Background()

	record := func(step string, client *ClientWithResponses, fill func(*RecordPaymentRequest) error) {
		var body RecordPaymentRequest
		must(fill(&body))
		res, err := client.RecordPaymentWithResponse(ctx, &RecordPaymentParams{}, body)
		must(err)
		switch {
		case res.JSON200 != nil:
			fmt.Printf("%s: %s (%s)\n", step, res.JSON200.Message, res.JSON200.TransactionId)
		case res.JSON400 != nil:
			failed(step, *res.JSON400)
		case res.JSON401 != nil:
			failed(step, *res.JSON401)
		default:
			log.Fatalf("%s: %s %s", step, res.Status(), res.Body)
		}
	}
	charge := DataFastPayment{Amount: 29.99, Currency: "USD", TransactionId: "payment_456", DatafastVisitorId: ptr("ada")}
	dataFast := func(r *RecordPaymentRequest) error { return r.FromDataFastPayment(charge) }
	record("record", client, dataFast)
	record("record again", client, dataFast)
	record("refund", client, func(r *RecordPaymentRequest) error {
		return r.FromDataFastPayment(DataFastPayment{
			Amount: 10, Currency: "USD", TransactionId: "refund_1", Refunded: ptr(true), RefundOf: ptr("payment_456"),
		})
	})
	faurya := func(r *RecordPaymentRequest) error {
		return r.FromFauryaPayment(FauryaPayment{
			FauryaVisitorId: "ada", TransactionId: "payment_789", Amount: 5, Metadata: &Metadata{"plan": "starter", "seats": 3},
		})
	}
	record("record by Faurya", client, faurya)
	record("record by Faurya again", client, faurya)
	record("record without a key", anonymous, dataFast)

	remove := func(step string, params DeletePaymentsParams, body DeletePaymentsJSONRequestBody) {
		res, err := client.DeletePaymentsWithResponse(ctx, &params, body)
		must(err)
		if res.JSON404 != nil {
			failed(step, *res.JSON404)
			return
		}
		if res.JSON200 == nil {
			log.Fatalf("%s: %s %s", step, res.Status(), res.Body)
		}
		if result, err := res.JSON200.AsDataFastDeletePaymentsResult(); err == nil && len(result.Data) > 0 {
			fmt.Printf("%s: %s (%d)\n", step, result.Data[0].Message, result.Data[0].Deleted)
			return
		}
		result, err := res.JSON200.AsFauryaDeletePaymentsResult()
		must(err)
		fmt.Printf("%s: %s (%d)\n", step, result.Message, result.Deleted)
	}
	nothing := DeletePaymentsJSONRequestBody{}
	remove("delete", DeletePaymentsParams{TransactionId: ptr("refund_1")}, nothing)
	remove("delete again", DeletePaymentsParams{TransactionId: ptr("refund_1")}, nothing)
	remove("delete a range", DeletePaymentsParams{DatafastVisitorId: ptr("ada"), StartAt: ptr("2026-05-01"), EndAt: ptr("2026-05-18")}, nothing)
	remove("delete by Faurya", DeletePaymentsParams{}, DeletePaymentsJSONRequestBody{FauryaVisitorId: ptr("ada")})
}

func failed(step string, res ErrorResponse) {
	field := ""
	if res.Error.Field != nil {
		field = " " + *res.Error.Field
	}
	fmt.Printf("%s: %d %s%s\n", step, res.Error.Code, res.Error.Reason, field)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }
