import { BASE_URL, API_KEY as DATAFAST_API_KEY, answers, res } from "./prelude.mjs";

const handler = async (req, res) => {
  const datafast_visitor_id = req.cookies.datafast_visitor_id;

  try {
    const response = await fetch(`${BASE_URL}/api/v1/payments`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${DATAFAST_API_KEY}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        amount: 29.99,
        currency: "USD",
        transaction_id: "payment_456",
        datafast_visitor_id: datafast_visitor_id,
      }),
    });

    res.status(200).send("Payment tracked");
  } catch (error) {
    console.error("Error tracking payment:", error);
    res.status(500).send("Failed to track payment");
  }
};

await handler({ cookies: { datafast_visitor_id: "visitor-id-from-cookie" } }, res);
await handler({ cookies: {} }, res);
console.log(JSON.stringify({ answers, code: res.code, text: res.text }));
