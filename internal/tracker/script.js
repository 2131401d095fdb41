// Tributary's tracker. docs/TRACKER.md says what it sends and keeps, and which attributes its element may have.
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[data-website-id]");
  const stub = window.datafast || {};
  if (!script || stub.loaded) return;
  const options = script.dataset;
  const isOn = (option) => option !== undefined && option !== "false";
  const cookieless = isOn(options.cookieless);
  const usesSession = options.cookieless === "session";
  const domain = (options.domain || location.hostname).replace(/^www\./, "");
  const otherDomains = (options.allowedHostnames || "").split(/[\s,]+/).filter(Boolean);
  const isWithin = (host, domains) => domains.some((name) => ("." + host).endsWith("." + name));
  // The domain whose hosts share the page's cookies.
  const home = otherDomains.find((name) => isWithin(location.hostname, [name])) || domain;
  const server = options.apiUrl || new URL("/api/events", script.src || location).href;
  const visitorCookie = (options.cookiePrefix || "datafast") + "_visitor_id";
  const sessionCookie = (options.cookiePrefix || "datafast") + "_session_id";
  const idleSeconds = 30 * 60;
  const calls = stub.q || [];
  let cookieScope, visitorId, sessionId, lastSentAt, lastPage, referrer, pause;

  // A page must not fail because of its tracker.
  const safely = (action) => (...args) => {
    try {
      return action(...args);
    } catch (error) {
      console.warn(error);
    }
  };

  const isBlocked = () => {
    const isLocal = /^$|^localhost$|^127\.|^\[::1]$|\.local(host)?$/.test(location.hostname);
    if ((isLocal || navigator.webdriver) && !isOn(options.allowLocalhost)) return true;
    if (self !== top && !isOn(options.allowIframe)) return true;
    if (navigator.doNotTrack === "1" || navigator.globalPrivacyControl) return true;
    return safely(() => localStorage.datafast_ignore === "true")();
  };

  // crypto.randomUUID would be missing on pages without TLS.
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  const read = (name) => {
    if (!cookieless) return (document.cookie.match(`(?:^|; )${name}=([^;]+)`) || [])[1];
    if (usesSession) return sessionStorage[name];
  };

  const write = (name, value, seconds) => {
    if (usesSession) sessionStorage[name] = value;
    if (cookieless) return;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}${cookieScope}`;
  };

  // Browsers refuse the cookies of a domain that is not the page's, or that is a public suffix: then only the page's
  // own host gets them.
  const findCookieScope = () => {
    cookieScope = "; Domain=" + home;
    write("datafast_test", 1, 9);
    if (!read("datafast_test")) cookieScope = "";
    write("datafast_test", 1, 0);
  };

  // The ids stay in memory too, for browsers that keep no cookies. A visitor whom another tracker knew stays the same.
  const renewIds = (givenVisitor, givenSession) => {
    const isIdle = !(Date.now() - lastSentAt < idleSeconds * 1000);
    lastSentAt = Date.now();
    sessionId = givenSession || read(sessionCookie) || (!isIdle && sessionId) || "s" + uuid();
    if (!cookieless) {
      const known = visitorId || read("datafast_visitor_id") || read("faurya_visitor_id");
      window.datafast.visitorId = visitorId = givenVisitor || read(visitorCookie) || known || uuid();
      if (cookieScope === undefined) findCookieScope();
      write(visitorCookie, visitorId, 365 * 86400);
    }
    write(sessionCookie, sessionId, idleSeconds);
  };

  // A link to another domain of the website takes the ids along, since its cookies are others.
  const addIds = (link) => {
    renewIds();
    const url = new URL(link.href);
    url.searchParams.set("_df_vid", visitorId);
    url.searchParams.set("_df_sid", sessionId);
    link.href = url;
  };

  // Only those domains can say who a visitor is, or everybody who follows a link of a stranger would be one visitor.
  const takeIds = () => {
    const url = new URL(location);
    const params = url.searchParams;
    const ids = [params.get("_df_vid"), params.get("_df_sid")];
    if (!ids[0]) return;
    if (referrer && isWithin(new URL(referrer).hostname, otherDomains)) renewIds(...ids);
    params.delete("_df_vid");
    params.delete("_df_sid");
    history.replaceState(history.state, "", url);
  };

  // keepalive lets the request outlive the page, as after a click on a link. Its body is sent as text, for which a
  // browser needs no permission of the other origin.
  const post = (body, retries) => {
    const again = () => retries && setTimeout(post, 1000, body, retries - 1);
    const learn = (response) => {
      if (response.status === 429 || response.status >= 500) return again();
      if (!response.ok) return response.text().then(console.warn);
      // Without cookies it is the server that knows the visitor.
      if (cookieless) return response.json().then((answer) => (window.datafast.visitorId = answer.visitorId));
    };
    fetch(server, { method: "POST", body, keepalive: true }).then(learn, again).catch(console.warn);
  };

  // The fragment of an address can hold what is not for others, such as the tokens of a sign-in.
  const page = () => location.href.split("#")[0];

  const send = safely((type, extraData) => {
    renewIds();
    const websiteId = options.websiteId;
    const event = { websiteId, domain, visitorId, sessionId, type, href: page(), referrer, extraData };
    if (cookieless) event.cookieless = true;
    post(JSON.stringify(event), 2);
  });

  const track = (name, data) => {
    if (name === "identify" || name === "payment") send(name, data);
    else send("custom", Object.assign({}, data, { eventName: name }));
  };

  const pageview = () => {
    if (page() === lastPage) return;
    referrer = lastPage || referrer;
    lastPage = page();
    send("pageview");
  };

  // Routers often change the address several times in a row.
  const moved = () => {
    clearTimeout(pause);
    pause = setTimeout(pageview, 100);
  };

  const goal = (element) => {
    const data = {};
    for (const { name, value } of element.attributes) {
      if (name.startsWith("data-fast-goal-")) data[name.slice(15).replace(/-/g, "_")] = value;
    }
    track(element.dataset.fastGoal, data);
  };

  const clicked = safely(({ target, button }) => {
    if (button === 2) return;
    const element = target.closest(":not(form)[data-fast-goal]");
    if (element) goal(element);
    const link = target.closest("a[href]");
    if (!link || !/^http/.test(link.protocol) || isWithin(link.hostname, [home, location.hostname])) return;
    if (isWithin(link.hostname, otherDomains)) {
      if (!cookieless) addIds(link);
    } else if (!isWithin(link.hostname, [domain])) {
      send("external_link", { url: link.href, text: link.textContent.trim().slice(0, 255) });
    }
  });

  const submitted = safely(({ target }) => {
    if (target.matches("[data-fast-goal]")) goal(target);
  });

  const start = safely(() => {
    // A tab behind, or a page that was fetched ahead of a click, has not been seen.
    if (document.visibilityState === "hidden") {
      document.addEventListener("visibilitychange", start, { once: true });
      return;
    }
    referrer = document.referrer || null;
    safely(takeIds)();
    pageview();
    calls.push = (call) => track(...call);
    calls.forEach(calls.push);
    for (const name of ["pushState", "replaceState"]) {
      const change = history[name];
      history[name] = function () {
        change.apply(this, arguments);
        moved();
      };
    }
    addEventListener("popstate", moved);
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      referrer = lastPage;
      lastPage = "";
      pageview();
    });
    addEventListener("click", clicked, true);
    addEventListener("auxclick", clicked, true);
    addEventListener("submit", submitted, true);
  });

  window.datafast = (...call) => {
    calls.push(call);
  };
  window.datafast.q = calls; // where calls by the page's own function go, if it has kept that
  window.datafast.loaded = true;
  if (isBlocked()) calls.push = () => {};
  else start();
})();
