package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"tributary/model"
)

const (
	dataFastExample = `{"amount": 29.99, "currency": "USD", "transaction_id": "payment_456", "datafast_visitor_id": "visitor-id-from-cookie"}`
	fauryaExample   = `{"faurya_visitor_id": "v1", "faurya_session_id": "s1", "transaction_id": "payment_456", "amount": 29.99,
		"metadata": {"plan": "starter", "provider": "custom_checkout"}}`
)

func TestHandler_RecordPayment(t *testing.T) {
	t.Parallel()

	t.Run("answers the documents' examples byte for byte", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.outcome = model.OutcomeAttributed
		require.Equal(t, `{"message":"Payment recorded and attributed successfully","transaction_id":"payment_456"}`,
			a.ok(t, "POST", path, dataFastExample))
		require.Equal(t, `{"message":"Payment recorded successfully","transaction_id":"payment_456"}`,
			a.ok(t, "POST", path, fauryaExample))
	})

	t.Run("hands every DataFast field to the resolver", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.ok(t, "POST", path+"?websiteId=64f1c0ffee5b2a0012ab34cd", `{"amount": 2.9990e1, "currency": "usd", "transaction_id": "t\u00e9\ud83d\ude00",
			"datafast_visitor_id": "v", "datafast_session_id": "s", "customer_id": "c", "email": "a@b", "name": "Ada \"L\"",
			"renewal": true, "refunded": false, "is_free_trial": null, "refund_of": null, "timestamp": "2026-05-01",
			"metadata": {"n": 1.50, "s": "x", "b": false, "z": null}}`)
		got := a.inputs[0]
		occurredAt := got.OccurredAt.In(a.site.Location())
		got.OccurredAt = nil
		require.Empty(t, cmp.Diff(model.RecordPaymentInput{
			WebsiteID: new("64f1c0ffee5b2a0012ab34cd"), TransactionID: "té😀", Amount: "2.9990e1", Currency: "usd",
			VisitorID: new("v"), SessionID: new("s"), CustomerID: new("c"), Email: new("a@b"), Name: new(`Ada "L"`),
			Renewal: new(true), Refunded: new(false),
			Metadata: model.Metadata{"n": json.Number("1.50"), "s": "x", "b": false, "z": nil},
		}, got))
		require.Equal(t, time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC), occurredAt)
	})

	t.Run("hands every Faurya field to the resolver, with Faurya's rules", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.ok(t, "POST", path, `{"faurya_visitor_id":"v","faurya_session_id":"s","transaction_id":"t","amount":1,"currency":"none","metadata":{}}`)
		require.Empty(t, cmp.Diff(model.RecordPaymentInput{
			TransactionID: "t", Amount: "1", VisitorID: new("v"), SessionID: new("s"), Metadata: model.Metadata{},
			RequireVisitor: new(true), RejectDuplicate: new(true),
		}, a.inputs[0]))
	})

	t.Run("accepts the other spellings", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.ok(t, "POST", path, `{"amount":1,"currency":"USD","transaction_id":"t","customer_email":"a@b","customer_name":"Ada"}`)
		a.ok(t, "POST", path, `{"amount":1,"currency":"USD","transaction_id":"t","customer_email":"a@b","email":"a@b","name":null,"customer_name":"Ada"}`)
		for _, in := range a.inputs {
			require.Equal(t, "a@b", *in.Email)
			require.Equal(t, "Ada", *in.Name)
		}
	})

	t.Run("names ignored keys in the order of the body", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		require.Equal(t, `{"message":"Payment recorded successfully","transaction_id":"t","ignored_fields":["custmer_id","Amount","nested"]}`,
			a.ok(t, "POST", path, `{"custmer_id":"c","Amount":5,"amount":1,"currency":"USD","transaction_id":"t","nested":{"a":[1,{"a":2}],"b":"}"}}`))
		require.Contains(t, a.ok(t, "POST", path, strings.Replace(fauryaExample, "{", `{"email":"a@b",`, 1)), `"ignored_fields":["email"]`)
	})

	t.Run("says what became of the payment", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			outcome     model.RecordOutcome
			seen        bool
			differences []string
			message     string
		}{
			{model.OutcomeRecorded, false, nil, "Payment recorded successfully"},
			{model.OutcomeAttributed, true, nil, "Payment recorded and attributed successfully"},
			{model.OutcomeRefunded, false, nil, "Refund recorded successfully"},
			{model.OutcomeRefunded, true, nil, "Refund recorded and attributed successfully"},
			{model.OutcomeDuplicate, true, nil, "Payment already recorded"},
			{model.OutcomeDuplicate, true, []string{"amount", "occurredAt", "email"},
				"Payment already recorded, and nothing was changed; this request differs in amount, timestamp, customer_email"},
		} {
			a := newAPI(t)
			a.outcome, a.visitorSeen, a.differences = c.outcome, c.seen, c.differences
			answer := a.ok(t, "POST", path, `{"amount":1,"currency":"USD","transaction_id":"t","customer_email":"a@b"}`)
			require.JSONEq(t, `{"message":"`+c.message+`","transaction_id":"t"}`, answer)
		}
	})
}

func TestHandler_RecordPayment_refuses(t *testing.T) {
	t.Parallel()
	const base = `"currency":"USD","transaction_id":"t1"`
	long := strings.Repeat("9", 10_000)
	var many string
	for i := range 20 {
		many += fmt.Sprintf(`"k%d":1,`, 19-i)
	}
	for name, c := range map[string]struct{ body, reason, field string }{
		"an empty body":              {``, "invalid_json", ""},
		"white space":                {` `, "invalid_json", ""},
		"null":                       {`null`, "invalid_json", ""},
		"an array":                   {`[]`, "invalid_json", ""},
		"a number":                   {`1`, "invalid_json", ""},
		"a truncated body":           {`{"amount":29.99`, "invalid_json", ""},
		"a second value":             {dataFastExample + `{}`, "invalid_json", ""},
		"deep nesting":               {`{"a":` + strings.Repeat("[", 20_000), "invalid_json", ""},
		"deep closed nesting":        {`{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "invalid_json", ""},
		"invalid UTF-8":              {`{"amount":1,"name":"` + "\xff" + `",` + base + `}`, "invalid_json", ""},
		"a lone high surrogate":      {`{"amount":1,"name":"\ud800",` + base + `}`, "invalid_json", ""},
		"a lone low surrogate":       {`{"amount":1,"metadata":{"k":"\udc00"},` + base + `}`, "invalid_json", ""},
		"surrogates in wrong order":  {`{"amount":1,"name":"\ude00\ud83d",` + base + `}`, "invalid_json", ""},
		"a duplicate key":            {`{"amount":1,"amount":1,` + base + `}`, "duplicate_field", ""},
		"a duplicate, escaped key":   {`{"amount":1,"\u0061mount":1,` + base + `}`, "duplicate_field", ""},
		"a duplicate unknown key":    {`{"amount":1,"x":1,"x":1,` + base + `}`, "duplicate_field", ""},
		"one of many keys twice":     {`{` + base + `,` + many + `"currency":"EUR","amount":1}`, "duplicate_field", ""},
		"the last of many twice":     {`{` + base + `,` + many + `"amount":1,"k0":1}`, "duplicate_field", ""},
		"a duplicate metadata key":   {`{"amount":1,"metadata":{"a":1,"a":1},` + base + `}`, "duplicate_field", "metadata"},
		"a missing amount":           {`{` + base + `}`, "missing_field", "amount"},
		"amount null":                {`{"amount":null,` + base + `}`, "missing_field", "amount"},
		"amount a string":            {`{"amount":"29.99",` + base + `}`, "invalid_amount", "amount"},
		"amount true":                {`{"amount":true,` + base + `}`, "invalid_amount", "amount"},
		"amount an array":            {`{"amount":[],` + base + `}`, "invalid_amount", "amount"},
		"amount negative":            {`{"amount":-1,` + base + `}`, "invalid_amount", "amount"},
		"amount NaN":                 {`{"amount":NaN,` + base + `}`, "invalid_json", ""},
		"amount 1e400":               {`{"amount":1e400,` + base + `}`, "invalid_amount", "amount"},
		"amount 1E1000000000":        {`{"amount":1E1000000000,` + base + `}`, "invalid_amount", "amount"},
		"a 10,000-digit amount":      {`{"amount":` + long + `,` + base + `}`, "invalid_amount", "amount"},
		"too many decimals":          {`{"amount":29.999,` + base + `}`, "amount_precision", "amount"},
		"decimals of yen":            {`{"amount":100.5,"currency":"JPY","transaction_id":"t"}`, "amount_precision", "amount"},
		"a missing currency":         {`{"amount":1,"transaction_id":"t"}`, "missing_field", "currency"},
		"an empty currency":          {`{"amount":1,"currency":"","transaction_id":"t"}`, "invalid_currency", "currency"},
		"currency US":                {`{"amount":1,"currency":"US","transaction_id":"t"}`, "invalid_currency", "currency"},
		"currency with NUL":          {`{"amount":1,"currency":"usd\u0000","transaction_id":"t"}`, "invalid_currency", "currency"},
		"currency full-width":        {`{"amount":1,"currency":"ＵＳＤ","transaction_id":"t"}`, "invalid_currency", "currency"},
		"currency dotless":           {`{"amount":1,"currency":"ıNR","transaction_id":"t"}`, "invalid_currency", "currency"},
		"currency XXX":               {`{"amount":1,"currency":"XXX","transaction_id":"t"}`, "invalid_currency", "currency"},
		"currency a number":          {`{"amount":1,"currency":1,"transaction_id":"t"}`, "invalid_currency", "currency"},
		"a missing transaction":      {`{"amount":1,"currency":"USD"}`, "missing_field", "transaction_id"},
		"an empty transaction":       {`{"amount":1,"currency":"USD","transaction_id":""}`, "invalid_field", "transaction_id"},
		"transaction a number":       {`{"amount":1,"currency":"USD","transaction_id":123}`, "invalid_field", "transaction_id"},
		"a long transaction":         {`{"amount":1,"currency":"USD","transaction_id":"` + long[:256] + `"}`, "invalid_field", "transaction_id"},
		"transaction with NUL":       {`{"amount":1,"currency":"USD","transaction_id":"a\u0000"}`, "invalid_field", "transaction_id"},
		"transaction with newline":   {`{"amount":1,"currency":"USD","transaction_id":"a\nb"}`, "invalid_field", "transaction_id"},
		"transaction with U+FFFD":    {`{"amount":1,"currency":"USD","transaction_id":"a\ufffd"}`, "invalid_field", "transaction_id"},
		"transaction with space":     {`{"amount":1,"currency":"USD","transaction_id":" a"}`, "invalid_field", "transaction_id"},
		"key in other case":          {`{"Amount":1,` + base + `}`, "missing_field", "amount"},
		"visitor a number":           {`{"amount":1,"datafast_visitor_id":5,` + base + `}`, "invalid_field", "datafast_visitor_id"},
		"an empty visitor":           {`{"amount":1,"datafast_visitor_id":"",` + base + `}`, "invalid_field", "datafast_visitor_id"},
		"an empty session":           {`{"amount":1,"datafast_session_id":"",` + base + `}`, "invalid_field", "datafast_session_id"},
		"a broken customer id":       {`{"amount":1,"customer_id":"\t",` + base + `}`, "invalid_field", "customer_id"},
		"a broken e-mail":            {`{"amount":1,"email":"a",` + base + `}`, "invalid_field", "email"},
		"a broken customer_email":    {`{"amount":1,"customer_email":"a",` + base + `}`, "invalid_field", "customer_email"},
		"two e-mails":                {`{"amount":1,"email":"a@b","customer_email":"a@c",` + base + `}`, "conflicting_fields", "email"},
		"two names":                  {`{"amount":1,"name":"a","customer_name":"b",` + base + `}`, "conflicting_fields", "name"},
		"a long name":                {`{"amount":1,"name":"` + long[:256] + `",` + base + `}`, "invalid_field", "name"},
		"renewal a string":           {`{"amount":1,"renewal":"true",` + base + `}`, "invalid_field", "renewal"},
		"refunded a number":          {`{"amount":1,"refunded":1,` + base + `}`, "invalid_field", "refunded"},
		"a refund of nothing":        {`{"amount":0,"refunded":true,` + base + `}`, "invalid_amount", "amount"},
		"a refunded free trial":      {`{"amount":1,"refunded":true,"is_free_trial":true,` + base + `}`, "conflicting_fields", "is_free_trial"},
		"refund_of without refunded": {`{"amount":1,"refund_of":"x",` + base + `}`, "conflicting_fields", "refund_of"},
		"a day that is not":          {`{"amount":1,"timestamp":"2026-02-30",` + base + `}`, "invalid_timestamp", "timestamp"},
		"24 o'clock":                 {`{"amount":1,"timestamp":"2026-02-03T24:00:00Z",` + base + `}`, "invalid_timestamp", "timestamp"},
		"an offset of 25 hours":      {`{"amount":1,"timestamp":"2026-02-03T00:00:00+25:00",` + base + `}`, "invalid_timestamp", "timestamp"},
		"timestamp a number":         {`{"amount":1,"timestamp":1770000000,` + base + `}`, "invalid_timestamp", "timestamp"},
		"an empty timestamp":         {`{"amount":1,"timestamp":"",` + base + `}`, "invalid_timestamp", "timestamp"},
		"25 hours ahead":             {`{"amount":1,"timestamp":"2026-05-21T13:00:01Z",` + base + `}`, "invalid_timestamp", "timestamp"},
		"1969":                       {`{"amount":1,"timestamp":"1969-12-31T23:59:59Z",` + base + `}`, "invalid_timestamp", "timestamp"},
		"metadata an array":          {`{"amount":1,"metadata":[],` + base + `}`, "invalid_metadata", "metadata"},
		"metadata with an object":    {`{"amount":1,"metadata":{"a":{}},` + base + `}`, "invalid_metadata", "metadata"},
		"metadata with an array":     {`{"amount":1,"metadata":{"a":[1]},` + base + `}`, "invalid_metadata", "metadata"},
		"metadata without a key":     {`{"amount":1,"metadata":{"":1},` + base + `}`, "invalid_metadata", "metadata"},
		"metadata with NUL":          {`{"amount":1,"metadata":{"a":"\u0000"},` + base + `}`, "invalid_metadata", "metadata"},
		"metadata of a long string":  {`{"amount":1,"metadata":{"a":"` + long[:256] + `"},` + base + `}`, "invalid_metadata", "metadata"},
		"metadata of a long number":  {`{"amount":1,"metadata":{"a":` + long[:65] + `},` + base + `}`, "invalid_metadata", "metadata"},
		"metadata of a huge number":  {`{"amount":1,"metadata":{"a":1e401},` + base + `}`, "invalid_metadata", "metadata"},
		"11 attributes":              {`{"amount":1,"metadata":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1},` + base + `}`, "invalid_metadata", "metadata"},
		"both dialects":              {`{"amount":1,"datafast_visitor_id":"v","faurya_visitor_id":"v",` + base + `}`, "conflicting_fields", ""},
		"Faurya without a visitor":   {`{"amount":1,"faurya_session_id":"s",` + base + `}`, "missing_field", "faurya_visitor_id"},
		"Faurya with a null visitor": {`{"amount":1,"faurya_visitor_id":null,` + base + `}`, "missing_field", "faurya_visitor_id"},
		"Faurya with a bad visitor":  {`{"amount":1,"faurya_visitor_id":" ",` + base + `}`, "invalid_field", "faurya_visitor_id"},
		"Faurya with a bad session":  {`{"amount":1,"faurya_visitor_id":"v","faurya_session_id":"",` + base + `}`, "invalid_field", "faurya_session_id"},
		"Faurya with amount 0":       {`{"amount":-0.00e7,"faurya_visitor_id":"v",` + base + `}`, "invalid_amount", "amount"},
		"Faurya with a bad currency": {`{"amount":1,"faurya_visitor_id":"v","currency":5,"transaction_id":"t"}`, "invalid_field", "currency"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			r := request("POST", path, c.body)
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
			reason, field := a.fails(t, http.StatusBadRequest, r)
			require.Equal(t, c.reason, reason)
			require.Equal(t, c.field, field)
			require.Empty(t, a.payments)
		})
	}

	t.Run("with all faults at once, none of them echoed", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		res := a.do(t, request("POST", path, `{"amount":"secret","currency":5,"renewal":"secret","datafast_visitor_id":" ","customer_email":"secret"}`))
		detail := a.failure(t, res)
		var fields []string
		for _, fault := range *detail.Fields {
			fields = append(fields, fault.Field+" "+string(fault.Reason))
			require.NotContains(t, fault.Message, "secret")
		}
		require.Equal(t, []string{"transaction_id missing_field", "amount invalid_amount", "currency invalid_currency", "renewal invalid_field",
			"datafast_visitor_id invalid_field", "customer_email invalid_field"}, fields)
		require.Equal(t, "transaction_id", *detail.Field)
		require.NotContains(t, detail.Message, "secret")
	})

	t.Run("hostile bodies quickly", func(t *testing.T) {
		t.Parallel()
		var different strings.Builder
		for i := range 6_000 {
			fmt.Fprintf(&different, `"%x":1,`, i)
		}
		for name, body := range map[string]string{
			"deep":           strings.Repeat(`{"a":`, 10_900),
			"many keys":      `{` + strings.Repeat(`"":1,`, 12_000) + `"a":1}`,
			"different keys": `{` + different.String() + `"amount":1}`,
			"escapes":        `{"a":"` + strings.Repeat(`\ud83d\ude00`, 5_000) + `"}`,
			"long":           `{"amount":` + long + `,` + base + `}`,
		} {
			a := newAPI(t)
			ours := quickest(func() { a.fails(t, http.StatusBadRequest, request("POST", path, body)) })
			// With the race detector, or other work of the machine, everything takes longer.
			usual := quickest(func() { _ = json.Unmarshal([]byte(body), &map[string]any{}) })
			require.Less(t, ours, max(20*time.Millisecond, 10*usual), name)
		}
	})
}

// quickest is the time of the quickest of a few runs.
func quickest(run func()) time.Duration {
	best := time.Hour
	for range 5 {
		start := time.Now()
		run()
		best = min(best, time.Since(start))
	}
	return best
}
