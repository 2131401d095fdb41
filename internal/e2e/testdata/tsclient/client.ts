// Uses openapi-fetch with the types that openapi-typescript generates from the published contract, as a
// customer would. The test that runs it puts the generated file beside this one.
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

declare const process: { env: Record<string, string | undefined> };

const baseUrl = process.env.BASE_URL;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${process.env.API_KEY}` } });
const anonymous = createClient<paths>({ baseUrl });

type Payment = components["schemas"]["RecordPaymentRequest"];
type Query = NonNullable<paths["/api/v1/payments"]["delete"]["parameters"]["query"]>;
type Filters = components["schemas"]["FauryaDeletePaymentsRequest"];

async function record(step: string, sender: typeof client, body: Payment): Promise<void> {
  const { data, error } = await sender.POST("/api/v1/payments", { body });
  if (data === undefined) {
    return failed(step, error);
  }
  console.log(`${step}: ${data.message} (${data.transaction_id})`);
}

async function remove(step: string, query: Query, body?: Filters): Promise<void> {
  const { data, error } = await client.DELETE("/api/v1/payments", { params: { query }, body });
  if (data === undefined) {
    return failed(step, error);
  }
  const result = "data" in data ? data.data[0] : data;
  if (result === undefined) {
    throw new Error(`${step}: an answer without a row`);
  }
  console.log(`${step}: ${result.message} (${result.deleted})`);
}

function failed(step: string, { error }: components["schemas"]["ErrorResponse"]): void {
  const reason: components["schemas"]["ErrorReason"] = error.reason;
  console.log(`${step}: ${error.code} ${reason}${error.field === undefined ? "" : ` ${error.field}`}`);
}

const charge: Payment = { amount: 29.99, currency: "USD", transaction_id: "payment_456", datafast_visitor_id: "ada" };
const faurya: Payment = { faurya_visitor_id: "ada", transaction_id: "payment_789", amount: 5, metadata: { plan: "starter", seats: 3 } };

await record("record", client, charge);
await record("record again", client, charge);
await record("refund", client, { amount: 10, currency: "USD", transaction_id: "refund_1", refunded: true, refund_of: "payment_456" });
await record("record by Faurya", client, faurya);
await record("record by Faurya again", client, faurya);
await record("record without a key", anonymous, charge);
await remove("delete", { transaction_id: "refund_1" });
await remove("delete again", { transaction_id: "refund_1" });
await remove("delete a range", { datafast_visitor_id: "ada", startAt: "2026-05-01", endAt: "2026-05-18" });
await remove("delete by Faurya", {}, { faurya_visitor_id: "ada" });
