
check("recorded")
function request()
  return post("/api/v1/payments", string.format('{"amount":29.99,"currency":"USD","transaction_id":"%s","datafast_visitor_id":"%s"}', id(), visitor()))
end
