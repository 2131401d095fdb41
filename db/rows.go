package db

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"tributary/model"
)

type paymentRow struct {
	bun.BaseModel `bun:"table:payments,alias:p"`

	WebsiteID     string
	ID            string `bun:"type:uuid"`
	TransactionID string
	Kind          string
	Renewal       bool
	ChargeID      string
	RefundOf      *string
	Currency      string
	AmountMinor   int64
	conversionRow
	OccurredAt  time.Time
	RecordedAt  time.Time
	VisitorID   *string
	Basis       string
	SessionID   *string
	CustomerID  *string
	Email       *string
	EmailFolded *string
	Name        *string
	Metadata    *jsonText
	Erased      bool

	VisitorSeen     bool   `bun:",scanonly"`
	WebsiteCurrency string `bun:",scanonly"`
}

// paymentColumns reads a payment of the website ?0 together with what is derived: whether its visitor has been
// seen, and whether it is converted to the website's currency.
const paymentColumns = `p.*, EXISTS (SELECT FROM visitors v WHERE v.website_id = ?0 AND v.id = p.visitor_id) AS visitor_seen,
	(SELECT w.currency FROM websites w WHERE w.id = ?0) AS website_currency`

func newPaymentRow(p *model.Payment) (paymentRow, error) {
	row := paymentRow{
		WebsiteID: p.WebsiteID, ID: p.ID, TransactionID: p.TransactionID,
		Kind: string(p.Kind), Renewal: p.Renewal, ChargeID: p.ChargeID(), RefundOf: p.RefundOf,
		Currency: string(p.Amount.Currency), AmountMinor: p.Amount.Minor,
		OccurredAt: p.OccurredAt, RecordedAt: p.RecordedAt, VisitorID: p.VisitorID, Basis: string(p.Basis),
		SessionID: p.SessionID, CustomerID: p.CustomerID, Email: p.Email, Name: p.Name, Erased: p.Erased,
	}
	row.conversionRow = newConversionRow(p)
	if p.Email != nil {
		folded := model.FoldEmail(*p.Email)
		row.EmailFolded = &folded
	}
	var err error
	row.Metadata, err = newMetadataColumn(p.Metadata)
	return row, err
}

func (r *paymentRow) counted() counted {
	return counted{r.Kind, r.Currency, r.AmountMinor, r.ReportingCurrency, r.ReportingMinor, r.OccurredAt, r.VisitorID}
}

func (r *paymentRow) toModel() (model.Payment, error) {
	p := model.Payment{
		WebsiteID: r.WebsiteID, ID: r.ID, TransactionID: r.TransactionID,
		Kind: model.PaymentKind(r.Kind), Renewal: r.Renewal, RefundOf: r.RefundOf,
		Amount:     model.Money{Minor: r.AmountMinor, Currency: model.Currency(r.Currency)},
		OccurredAt: r.OccurredAt.UTC(), RecordedAt: r.RecordedAt.UTC(), VisitorID: r.VisitorID,
		Basis: model.AttributionBasis(r.Basis), VisitorSeen: r.VisitorSeen,
		SessionID: r.SessionID, CustomerID: r.CustomerID, Email: r.Email, Name: r.Name, Erased: r.Erased,
	}
	p.Reporting, p.Conversion = r.toConversion(p.Amount, model.Currency(r.WebsiteCurrency))
	var err error
	p.Metadata, err = toMetadata(r.Metadata)
	return p, err
}

// newMetadataColumn is metadata as a column holds it.
func newMetadataColumn(m model.Metadata) (*jsonText, error) {
	if m == nil {
		return nil, nil
	}
	raw, err := json.Marshal(m)
	text := jsonText(raw)
	return &text, err
}

func toMetadata(column *jsonText) (model.Metadata, error) {
	if column == nil {
		return nil, nil
	}
	return model.ParseMetadata([]byte(*column))
}

func toPayments(rows []paymentRow) ([]model.Payment, error) {
	payments := make([]model.Payment, len(rows))
	for i := range rows {
		p, err := rows[i].toModel()
		if err != nil {
			return nil, err
		}
		payments[i] = p
	}
	return payments, nil
}

type visitorRow struct {
	bun.BaseModel `bun:"table:visitors,alias:v"`

	WebsiteID   string
	ID          string
	FirstSeenAt time.Time
	LastSeenAt  time.Time
	VisitCount  int64
	UserID      *string
	Name        *string
	Image       *string

	IsNew bool `bun:",scanonly"`
}

func (r *visitorRow) toModel() model.Visitor {
	first, last := r.FirstSeenAt.UTC(), r.LastSeenAt.UTC()
	return model.Visitor{
		WebsiteID: r.WebsiteID, ID: r.ID, Seen: true,
		FirstSeenAt: &first, LastSeenAt: &last, VisitCount: int(r.VisitCount),
		Identity: toIdentity(r.UserID, r.Name, r.Image),
	}
}

func toIdentity(userID, name, image *string) *model.Identity {
	if userID == nil {
		return nil
	}
	return &model.Identity{UserID: *userID, Name: name, Image: image}
}

type visitRow struct {
	bun.BaseModel `bun:"table:visits,alias:t"`

	WebsiteID    string
	ID           string `bun:"type:uuid"`
	VisitorID    string
	SessionID    *string
	StartedAt    time.Time
	LastSeenAt   time.Time
	LandingPage  string
	Referrer     *string
	Source       string
	Channel      string
	UtmSource    string
	UtmMedium    string
	UtmCampaign  string
	UtmTerm      string
	UtmContent   string
	Ref          string
	AdClick      string
	Country      *string
	Device       *string
	Browser      *string
	OS           *string `bun:"os"`
	Pageviews    int64
	Viewed       *int64
	ViewedAt     *time.Time
	ReferrerHost string
	LandingPath  string
}

// newVisitRow is the row of a visit that has its id.
func newVisitRow(v *model.Visit) visitRow {
	return visitRow{
		WebsiteID: v.WebsiteID, ID: v.ID, VisitorID: v.VisitorID, SessionID: v.SessionID,
		StartedAt: v.StartedAt, LastSeenAt: v.LastSeenAt, LandingPage: v.LandingPage, Referrer: v.Referrer,
		Source: v.Source, Channel: string(v.Channel),
		UtmSource: v.Campaign.Source, UtmMedium: v.Campaign.Medium, UtmCampaign: v.Campaign.Name,
		UtmTerm: v.Campaign.Term, UtmContent: v.Campaign.Content, Ref: v.Campaign.Ref, AdClick: v.Campaign.AdClick,
		Country: v.Country, Device: v.Device, Browser: v.Browser, OS: v.OS, Pageviews: int64(v.Pageviews),
		Viewed: &v.Viewed, ViewedAt: &v.ViewedAt,
		ReferrerHost: v.ReferrerHost, LandingPath: v.LandingPath,
	}
}

func (r *visitRow) toModel() model.Visit {
	v := model.Visit{
		WebsiteID: r.WebsiteID, ID: r.ID, VisitorID: r.VisitorID, SessionID: r.SessionID,
		StartedAt: r.StartedAt.UTC(), LastSeenAt: r.LastSeenAt.UTC(), LandingPage: r.LandingPage, Referrer: r.Referrer,
		Source: r.Source, Channel: model.Channel(r.Channel),
		Campaign: model.Campaign{
			Source: r.UtmSource, Medium: r.UtmMedium, Name: r.UtmCampaign, Term: r.UtmTerm, Content: r.UtmContent,
			Ref: r.Ref, AdClick: r.AdClick,
		},
		Country: r.Country, Device: r.Device, Browser: r.Browser, OS: r.OS, Pageviews: int(r.Pageviews),
		ReferrerHost: r.ReferrerHost, LandingPath: r.LandingPath,
	}
	if r.Viewed != nil && r.ViewedAt != nil {
		v.Viewed, v.ViewedAt = *r.Viewed, r.ViewedAt.UTC()
	}
	return v
}

// newID makes the id of a row. Ids made later sort later, which keeps indexes compact.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
