import { BASE_URL, API_KEY, answers } from "./prelude.mjs";

process.env.FAURYA_API_KEY = API_KEY;
const req = { cookies: { faurya_visitor_id: "visitor-id-from-cookie", faurya_session_id: "session-id-from-cookie" } };

const response = await fetch(`${BASE_URL}/api/v1/payments`, {
  method: "POST",
  headers: {
    Authorization: `Bearer ${process.env.FAURYA_API_KEY}`,
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    faurya_visitor_id: req.cookies.faurya_visitor_id,
    faurya_session_id: req.cookies.faurya_session_id,
    transaction_id: "payment_456",
    amount: 29.99,
    metadata: {
      plan: "starter",
      provider: "custom_checkout",
    },
  }),
});
const result = await response.json();

console.log(JSON.stringify({ answers, text: result.message }));
