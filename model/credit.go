package model

// RevenueFilter selects revenue by the visits that it is credited to. All given conditions hold for
// the same visit; "" is a visit that has no such thing. Without conditions it selects all revenue, and
// Model and WindowDays mean nothing.
type RevenueFilter struct {
	Source      *string
	Channel     *Channel
	Referrer    *string
	UtmSource   *string
	UtmMedium   *string
	UtmCampaign *string
	UtmTerm     *string
	UtmContent  *string
	LandingPage *string
	Country     *string
	Device      *string
	Browser     *string
	OS          *string
	Model       *AttributionModel // ModelFirstTouch by default
	WindowDays  *int              // DefaultWindow by default
}

// Credit is what of the ledger a question is about: the part of each entry that is credited to visits
// with these keys, or everything if there are none.
type Credit struct {
	Attribution
	Keys map[Dimension]string
}

// IsAll says whether the question is about the whole ledger.
func (c Credit) IsAll() bool { return len(c.Keys) == 0 }

// credit checks the filter, and adds what is wrong with it to the faults.
func (f *RevenueFilter) credit(faults *Faults) Credit {
	c := Credit{Attribution: newAttribution(f.Model, f.WindowDays, faults), Keys: map[Dimension]string{}}
	for _, condition := range []struct {
		dimension Dimension
		field     string
		key       *string
		check     func(string) error
	}{
		{DimensionSource, "source", f.Source, CheckName},
		{DimensionChannel, "channel", (*string)(f.Channel), func(s string) error { return Channel(s).validate() }},
		{DimensionReferrer, "referrer", f.Referrer, CheckName},
		{DimensionUtmSource, "utmSource", f.UtmSource, CheckName},
		{DimensionUtmMedium, "utmMedium", f.UtmMedium, CheckName},
		{DimensionUtmCampaign, "utmCampaign", f.UtmCampaign, CheckName},
		{DimensionUtmTerm, "utmTerm", f.UtmTerm, CheckName},
		{DimensionUtmContent, "utmContent", f.UtmContent, CheckName},
		{DimensionLandingPage, "landingPage", f.LandingPage, CheckName},
		{DimensionDevice, "device", f.Device, CheckName},
		{DimensionBrowser, "browser", f.Browser, CheckName},
		{DimensionOS, "os", f.OS, CheckName},
	} {
		if condition.key != nil {
			faults.Add(condition.field, condition.check(*condition.key))
			c.Keys[condition.dimension] = *condition.key
		}
	}
	if f.Country != nil {
		country := *f.Country
		if country != "" {
			var err error
			country, err = parseCountry(country)
			faults.Add("country", err)
		}
		c.Keys[DimensionCountry] = country
	}
	return c
}

// RevenueQuery is a checked question for revenue.
type RevenueQuery struct {
	Range  Range
	Credit Credit
}

// Validate checks a question for revenue. A nil filter selects all revenue, a nil range all time.
// Errors: CodeInvalidField, CodeInvalidRange.
func (f *RevenueFilter) Validate(site Website, r *TimeRange) (RevenueQuery, error) {
	var faults Faults
	q := f.query(site, r, &faults)
	return q, faults.Err()
}

func (f *RevenueFilter) query(site Website, r *TimeRange, faults *Faults) RevenueQuery {
	in, err := r.In(site.Location())
	faults.Add("range", err)
	q := RevenueQuery{Range: in}
	if f != nil {
		q.Credit = f.credit(faults)
	}
	return q
}
