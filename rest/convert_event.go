package rest

import (
	"encoding/json"

	"tributary/model"
)

// tracked is an event of a tracker: a pageview, or another one.
type tracked struct {
	trackingID string
	visitorID  string
	view       *model.RecordVisitInput // nil if it is no pageview
	other      model.RecordEventInput
	names      names
	ignored    []string // keys that were not understood
}

// notUsed are the keys that trackers send, and that are accepted and not used.
var notUsed = []string{
	"domain", "visitorFirstSeenAt", "visitorSessionNumber", "viewport", "language", "timezone", "screenWidth", "screenHeight", "device",
}

// fromAPIEvent reads the body of trackEvent. Fields that cannot be read are faults of the input, which
// its Validate reports together with what else is wrong. Errors: those of parseObject, CodeMissingField and
// CodeInvalidField for what names the website or the kind of event.
func fromAPIEvent(raw json.RawMessage, from sender) (tracked, error) {
	body, err := parseObject(raw)
	if err != nil {
		return tracked{}, err
	}
	event := tracked{trackingID: body.requiredName("websiteId"), names: names{"url": "href"}}
	kind := body.requiredName("type")
	session, href := body.requiredText("sessionId"), body.requiredText("href")
	if cookieless := body.flag("cookieless"); cookieless != nil && *cookieless {
		body.find("visitorId")
		event.visitorID = model.CookielessVisitor(event.trackingID, session)
	} else {
		event.visitorID = body.requiredText("visitorId")
	}
	referrer, clicks := body.text("referrer"), body.metadata("adClickIds")
	for _, key := range notUsed {
		body.find(key)
	}
	event.other = model.RecordEventInput{VisitorID: event.visitorID, SessionID: &session, URL: href}
	data := body.object("extraData", model.CodeInvalidJSON)
	if data == nil {
		data = &object{}
	}
	switch kind {
	case "pageview":
		event.view = &model.RecordVisitInput{
			VisitorID: event.visitorID, SessionID: &session, URL: href, Referrer: model.UsableReferrer(referrer),
			UserAgent: &from.userAgent, AdClickIDs: clicks,
		}
		if from.country != "" {
			event.view.Country = &from.country
		}
	case "custom":
		event.custom(data)
	case "identify":
		event.identify(data)
	case "payment":
		event.payment(data)
	case "external_link":
		event.externalLink(data)
	case "": // a fault already
	default:
		body.fault("type", model.CodeInvalidField, "must be pageview, custom, identify, payment or external_link")
	}
	if err := body.err(); err != nil {
		return tracked{}, err
	}
	event.ignored = body.unread()
	return event, nil
}

func (t *tracked) custom(data *object) {
	t.other.Type, t.other.Name = model.EventCustom, data.text("eventName")
	t.take(data, names{"name": "extraData.eventName"})
}

func (t *tracked) identify(data *object) {
	t.other.Type, t.other.UserID = model.EventIdentify, data.textOrNumber("user_id")
	t.other.Name, t.other.Image, t.other.Email = data.text("name"), data.text("image"), data.text("email")
	t.take(data, names{"userId": "extraData.user_id", "name": "extraData.name", "image": "extraData.image", "email": "extraData.email"})
}

func (t *tracked) payment(data *object) {
	t.other.Type, t.other.Email, t.other.CustomerID = model.EventPayment, data.text("email"), data.textOrNumber("customer_id")
	t.take(data, names{"email": "extraData.email", "customerId": "extraData.customer_id"})
}

func (t *tracked) externalLink(data *object) {
	t.other.Type, t.other.Link, t.other.Name = model.EventExternalLink, data.text("url"), data.text("text")
	t.take(data, names{"link": "extraData.url", "name": "extraData.text"})
}

// take makes what is left of extraData the properties of the event, and its faults those of the event.
func (t *tracked) take(data *object, known names) {
	properties, err := data.left()
	data.faults.Add("", err)
	if len(properties) > 0 {
		t.other.Properties = properties
	}
	known["url"], known["properties"] = t.names["url"], "extraData"
	t.names = known
	for _, fault := range data.faults {
		named := *fault
		named.Field = known.field(prefixed(fault.Field))
		t.other.Faults.Add("", &named)
	}
}

func prefixed(key string) string {
	if key == "" {
		return "extraData"
	}
	return "extraData." + key
}

// textOrNumber reads an optional string, or a number as it is written.
func (o *object) textOrNumber(key string) *string {
	value := o.find(key)
	if value != nil && (value[0] == '-' || value[0] >= '0' && value[0] <= '9') {
		text := string(value)
		return &text
	}
	return o.text(key)
}
