// Starts GraphiQL with the settings that the server wrote into the page.
"use strict";

const settings = JSON.parse(document.getElementById("settings").textContent);
const root = document.getElementById("playground");

if (window.React && window.ReactDOM && window.GraphiQL) {
  ReactDOM.createRoot(root).render(React.createElement(Playground));
} else {
  root.querySelector("p").textContent =
    "GraphiQL could not be loaded. This binary was built without it, and the CDN that has it cannot be reached: " +
    "build Tributary on a machine that has Node.js (make run does all of it), or connect to the internet.";
}

function Playground() {
  const { createElement, useEffect, useMemo, useRef, useState } = React;
  const storage = useMemo(openStorage, []);
  const persistHeaders = storage.getItem("graphiql:shouldPersistHeaders") === "true";
  const stored = persistHeaders ? storage.getItem("graphiql:headers") : null;
  const headers = useRef(stored ?? settings.headers);

  // GraphiQL asks for the schema again when its fetcher is another one: so it does after the token was edited.
  const [token, setToken] = useState(() => authorization(headers.current));
  const fetcher = useMemo(() => createFetcher(headers), [token]);
  const pause = useRef();
  useEffect(() => () => clearTimeout(pause.current), []);
  const onEditHeaders = (text) => {
    headers.current = text;
    clearTimeout(pause.current);
    pause.current = setTimeout(() => setToken((last) => authorization(text) ?? last), 500);
  };

  return createElement(
    GraphiQL,
    {
      fetcher,
      storage,
      onEditHeaders,
      defaultTabs: settings.tabs,
      defaultHeaders: settings.headers,
      // It is the same for all tabs.
      defaultEditorToolsVisibility: settings.tabs.some((tab) => tab.variables) ? "variables" : "headers",
      // Only true keeps the switch in GraphiQL's settings as the user has set it; false would hide it.
      shouldPersistHeaders: persistHeaders || undefined,
    },
    createElement(GraphiQL.Logo, null, createElement("a", { className: "home", href: "/" }, "Tributary")),
  );
}

// Local storage of this page alone. What earlier demonstrations stored is removed.
function openStorage() {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("tributary-demo-") && !key.startsWith(settings.storage + ":")) {
      localStorage.removeItem(key);
    }
  }
  const storage = GraphiQL.createLocalStorage({ namespace: settings.storage });
  // GraphiQL shows the first tab's variables only when they are stored.
  if (storage.getItem("graphiql:tabState") === null && settings.tabs[0].variables) {
    storage.setItem("graphiql:variables", settings.tabs[0].variables);
  }
  return storage;
}

// Returns a fetcher for GraphiQL. Its first request for the schema comes before the headers editor exists, and so
// without headers: it gets those that the editor is going to show.
function createFetcher(headers) {
  const fetcher = GraphiQL.createFetcher({ url: "/graphql", enableIncrementalDelivery: false });
  return (params, options = {}) => {
    if (!options.headers && params.operationName === "IntrospectionQuery") {
      options = { ...options, headers: parse(headers.current) };
    }
    if (Object.values(options.headers ?? {}).some((value) => String(value).includes(settings.placeholder))) {
      const message = "Paste a website key (df_…) or an account token (dft_…) into “Headers”, below the query.";
      return Promise.resolve({ errors: [{ message }] });
    }
    return fetcher(params, options);
  };
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

// The value of the Authorization header; undefined while the text is no JSON object or has none.
function authorization(text) {
  const found = Object.entries(parse(text)).find(([name]) => name.toLowerCase() === "authorization");
  return found?.[1];
}
