
-- Each payment is the first of its customer.
check("recorded")
function request()
  return post("/api/v1/payments", string.format(
    '{"amount":29.99,"currency":"USD","transaction_id":"%s","datafast_visitor_id":"%s","customer_id":"%s","email":"%s@shop.example"}',
    id(), visitor(), id(), id()))
end
