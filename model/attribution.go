package model

import (
	"slices"
	"time"
)

// AttributionModel is a rule by which a payment is credited to its touchpoints: see Weights.
type AttributionModel string

// The models.
const (
	ModelFirstTouch    AttributionModel = "FIRST_TOUCH"
	ModelLastTouch     AttributionModel = "LAST_TOUCH"
	ModelLastNonDirect AttributionModel = "LAST_NON_DIRECT" // the last touch if all are direct
	ModelLinear        AttributionModel = "LINEAR"
	ModelPositionBased AttributionModel = "POSITION_BASED"
	ModelTimeDecay     AttributionModel = "TIME_DECAY"
)

// AttributionModels are all models.
var AttributionModels = []AttributionModel{
	ModelFirstTouch, ModelLastTouch, ModelLastNonDirect, ModelLinear, ModelPositionBased, ModelTimeDecay,
}

// IsSingleTouch says whether the model credits one touchpoint with all of a payment.
func (m AttributionModel) IsSingleTouch() bool {
	return m == ModelFirstTouch || m == ModelLastTouch || m == ModelLastNonDirect
}

// The limits of touchpoints.
const (
	// DefaultWindow and MaxWindow are how long before a payment its touchpoints may be, in days of 24
	// hours.
	DefaultWindow = 90
	MaxWindow     = 3650
	// MaxTouches is how many touchpoints a payment has at most, the latest ones.
	MaxTouches = 1000
)

// Attribution says how payments are credited. The touchpoints of a payment are the visits of its
// visitor that started in the window before it: later than Window before the payment, and not after it.
type Attribution struct {
	Model  AttributionModel
	Window time.Duration
}

// newAttribution checks how payments are to be credited, and adds what is wrong with it to the faults. By
// default it is ModelFirstTouch and DefaultWindow days.
func newAttribution(model *AttributionModel, windowDays *int, faults *Faults) Attribution {
	a, days := Attribution{Model: ModelFirstTouch}, DefaultWindow
	if model != nil {
		a.Model = *model
	}
	if windowDays != nil {
		days = *windowDays
	}
	if !slices.Contains(AttributionModels, a.Model) { // GraphQL lets enums of any letter case pass
		faults.Add("model", Errorf(CodeInvalidField, "", "must be an attribution model, such as FIRST_TOUCH, in upper case"))
	}
	if days < 1 || days > MaxWindow {
		faults.Add("windowDays", Errorf(CodeInvalidField, "", "must be from 1 to %d", MaxWindow))
		return a
	}
	a.Window = time.Duration(days) * 24 * time.Hour
	return a
}

// Dimension is what visits can be told apart by.
type Dimension string

// The dimensions. Each visit has one key in each of them; "" means that it has none.
const (
	DimensionSource      Dimension = "SOURCE"
	DimensionChannel     Dimension = "CHANNEL"
	DimensionReferrer    Dimension = "REFERRER" // Visit.ReferrerHost
	DimensionUtmSource   Dimension = "UTM_SOURCE"
	DimensionUtmMedium   Dimension = "UTM_MEDIUM"
	DimensionUtmCampaign Dimension = "UTM_CAMPAIGN"
	DimensionUtmTerm     Dimension = "UTM_TERM"
	DimensionUtmContent  Dimension = "UTM_CONTENT"
	DimensionLandingPage Dimension = "LANDING_PAGE" // Visit.LandingPath
	DimensionCountry     Dimension = "COUNTRY"
	DimensionDevice      Dimension = "DEVICE"
	DimensionBrowser     Dimension = "BROWSER"
	DimensionOS          Dimension = "OS"
)

// Dimensions are all dimensions.
var Dimensions = []Dimension{
	DimensionSource, DimensionChannel, DimensionReferrer, DimensionUtmSource, DimensionUtmMedium, DimensionUtmCampaign,
	DimensionUtmTerm, DimensionUtmContent, DimensionLandingPage, DimensionCountry, DimensionDevice, DimensionBrowser, DimensionOS,
}

// validate refuses a dimension that does not exist: GraphQL lets enums of any letter case pass.
func (d Dimension) validate() error {
	if !slices.Contains(Dimensions, d) {
		return Errorf(CodeInvalidField, "", "must be a dimension, such as SOURCE, in upper case")
	}
	return nil
}
