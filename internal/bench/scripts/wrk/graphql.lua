
check("outcome")
function request()
  return post("/graphql", '{"query":"mutation($p:RecordPaymentInput!){recordPayment(input:$p){outcome}}","variables":{"p":' .. payment() .. '}}')
end
