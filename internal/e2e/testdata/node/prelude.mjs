// What the documented snippets expect around them: a base URL and a key, and a record of each answer.
export const { BASE_URL, API_KEY } = process.env;
export const answers = [];

const send = globalThis.fetch;
globalThis.fetch = async (...request) => {
  const response = await send(...request);
  answers.push({ status: response.status, body: await response.clone().text() });
  return response;
};

// A response of Express, as far as the snippets use it.
export const res = {
  status(code) {
    this.code = code;
    return this;
  },
  send(text) {
    this.text = text;
  },
};
