package db

import (
	"slices"
	"strings"
)

// PersonalTable says what a table keeps of the people whom its rows are about. Erasing and exporting a person
// follow it, and every column of the schema is in it.
type PersonalTable struct {
	Table string
	// Identifies are the columns that may identify a person, alone or with others: an erasure leaves nothing in them.
	Identifies []string
	// Tells are the further columns that are about a person as long as others identify it.
	Tells []string
	// Serves are the columns that are about nobody, or only serve the program; an export leaves them out.
	Serves []string
}

// personal are the tables that keep something of people.
var personal = []PersonalTable{
	{
		Table:      "payments",
		Identifies: []string{"visitor_id", "session_id", "customer_id", "email", "email_folded", "name", "metadata"},
		Tells: []string{"transaction_id", "kind", "renewal", "refund_of", "currency", "amount_minor", "reporting_minor", "reporting_currency",
			"rate_date", "rate_source", "paid_per_euro", "reporting_per_euro", "occurred_at", "recorded_at", "basis"},
		Serves: []string{"website_id", "id", "is_refund", "charge_id", "erased"},
	},
	{
		Table:      "customers",
		Identifies: []string{"basis", "value", "visitor_id", "claimant"},
		Tells:      []string{"claimed"},
		Serves:     []string{"website_id"},
	},
	{
		Table:      "visitors",
		Identifies: []string{"id", "user_id", "name", "image"},
		Tells:      []string{"first_seen_at", "last_seen_at", "visit_count"},
		Serves:     []string{"website_id"},
	},
	{
		Table:      "visits",
		Identifies: []string{"visitor_id", "session_id", "landing_page", "referrer", "landing_path", "ad_click", "ref"},
		Tells: []string{"id", "started_at", "last_seen_at", "referrer_host", "source", "channel", "utm_source", "utm_medium", "utm_campaign", "utm_term",
			"utm_content", "country", "device", "browser", "os", "pageviews"},
		Serves: []string{"website_id", "viewed", "viewed_at"},
	},
	{
		Table:      "events",
		Identifies: []string{"visitor_id", "name", "page", "link", "properties"},
		Tells:      []string{"visit_id", "type", "occurred_at"},
		Serves:     []string{"website_id", "id"},
	},
	{
		Table:      "visitor_rollups",
		Identifies: []string{"visitor_id"},
		Tells:      []string{"entries", "payments", "gross_minor", "refunded_minor", "net_minor", "first_payment_at", "last_payment_at"},
		Serves:     []string{"website_id"},
	},
	{
		Table:      "payment_deletions",
		Identifies: []string{"visitor_id"},
		Tells:      []string{"transaction_id", "range_from", "range_to", "deleted_count", "deleted_at"},
		Serves:     []string{"website_id", "id", "token_id"},
	},
	{
		Table:      "erasures",
		Identifies: []string{"person"},
		Tells:      []string{"begun_at"},
		Serves:     []string{"website_id", "id", "token_id", "payments", "others_payments", "visits", "events", "finished_at"},
	},
	{
		Table:      "websites",
		Identifies: []string{"visitor_rollups_until"}, // while rollups are built
		Serves: []string{"id", "account_id", "tracking_id", "domain", "name", "timezone", "currency", "suspended", "created_at", "hostnames",
			"currency_version", "converted_version", "rollups_until"},
	},
}

// impersonal are the tables that keep nothing of a website's visitors and customers, and why.
var impersonal = map[string]string{
	"accounts":          "are those of operators",
	"account_usage":     "has numbers only",
	"tokens":            "are those of operators",
	"rates":             "are published",
	"rollups":           "has sums over all payments of an hour",
	"schema_migrations": "names files",
}

// PersonalTables are the tables that keep something of people.
func PersonalTables() []PersonalTable { return slices.Clone(personal) }

// ImpersonalTables are all other tables.
func ImpersonalTables() []string {
	var tables []string
	for table := range impersonal {
		tables = append(tables, table)
	}
	slices.Sort(tables)
	return tables
}

func personalTable(name string) PersonalTable {
	return personal[slices.IndexFunc(personal, func(t PersonalTable) bool { return t.Table == name })]
}

// cleared is SQL that clears what identifies.
func (t PersonalTable) cleared() string {
	return strings.Join(t.Identifies, " = NULL, ") + " = NULL"
}
