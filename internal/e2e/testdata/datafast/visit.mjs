// A visit by DataFast's package in Node.js, which has no page: the adapters are given, and addresses are.
import { createDataFastWithAdapters, createMemoryStorageAdapter } from "datafast";

const { BASE_URL, TRACKING_ID } = process.env;

const datafast = await createDataFastWithAdapters({
  appId: TRACKING_ID,
  domain: "shop.example",
  platform: "web",
  storage: createMemoryStorageAdapter(),
  apiUrl: `${BASE_URL}/api/events`,
});

await datafast.trackScreen("/", { href: "https://shop.example/?utm_source=letter&utm_campaign=spring" });
await datafast.trackScreen("pricing");
await datafast.track("signup", { plan: "starter", seats: 3 });
await datafast.trackExternalLink("https://partner.example/", "Our partner");
await datafast.identify("user_42", { name: "Ada" });
await datafast.trackPayment({ email: "ada@example.com", amount: 29.99, currency: "USD" });
await datafast.shutdown();

console.log(datafast.getVisitorId());
