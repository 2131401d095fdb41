
check("outcome")
function request()
  local payments = {}
  for i = 1, 1000 do payments[i] = payment() end
  return post("/graphql", '{"query":"mutation($p:[RecordPaymentInput!]!){recordPayments(input:{payments:$p}){results{payload{outcome}}}}","variables":{"p":[' .. table.concat(payments, ",") .. ']}}')
end
