// Prints how many checks of the GraphQL-over-HTTP audit pass, and those that do not.
import { auditServer } from "graphql-http";

const { BASE_URL, API_KEY } = process.env;
const results = await auditServer({
  url: `${BASE_URL}/graphql`,
  fetchFn: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${API_KEY}` } }),
});
const failed = results.filter((result) => result.status !== "ok");
console.log(`${results.length - failed.length} of ${results.length}`);
for (const { id, name, reason } of failed) console.log(`${id} ${name}: ${reason}`);
