
-- One visit in three is of a new visitor.
local browser = {["Content-Type"] = "application/json",
  ["User-Agent"] = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"}

check("recorded")
local last
function request()
  local view = id()
  if not last or view:byte(-1) % 3 == 0 then last = view end
  return wrk.format("POST", "/api/events", browser, string.format(
    '{"websiteId":"%s","visitorId":"%s","sessionId":"s%s","href":"https://%s/%s?utm_source=bench","referrer":null,"type":"pageview"}',
    os.getenv("TRACKING_ID"), last, last, os.getenv("DOMAIN"), view))
end
