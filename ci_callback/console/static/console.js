// Keeps a page as it would be after a reload: on each change that the server tells of, the page
// is fetched again, and what differs in its live parts is put in. Without this file nothing is
// missing but that.
"use strict";
(() => {
  const body = document.body;

  // The server shows times in the zone that this cookie names; without it, in UTC.
  const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  if (browserZone && browserZone !== body.dataset.browserZone) {
    document.cookie = `console_browser_zone=${browserZone}; path=/_/; max-age=31536000; samesite=strict`;
    // Once: where cookies are refused, the page stays as it is.
    const isKept = document.cookie.includes(`console_browser_zone=${browserZone}`);
    if (isKept && body.dataset.zone === "local") location.reload();
  }

  const announce = document.getElementById("announce");
  const state = document.getElementById("live-state");
  const stateText = document.getElementById("live-text");

  function say(count) {
    if (!count) return;
    // Emptied first: the same words again would not be read out.
    announce.textContent = "";
    const words = count === 1 ? announce.dataset.one : announce.dataset.many.replace("{n}", count);
    setTimeout(() => { announce.textContent = words; }, 100);
  }

  // A list whose items have ids: new ones come in at their place, changed ones are replaced.
  function mergeRows(old, fresh) {
    const known = new Map([...old.children].map((row) => [row.id, row]));
    let added = 0;
    let after = null;
    for (const row of [...fresh.children]) {
      const mine = known.get(row.id);
      known.delete(row.id);
      let placed = mine;
      if (!mine) {
        row.classList.add("new");
        placed = row;
        added += 1;
      } else if (mine.innerHTML !== row.innerHTML) {
        const hadFocus = mine.contains(document.activeElement);
        mine.replaceChildren(...row.childNodes);
        if (hadFocus) mine.querySelector("a")?.focus();
      }
      const next = after ? after.nextElementSibling : old.firstElementChild;
      if (placed !== next) old.insertBefore(placed, next);
      after = placed;
    }
    known.forEach((row) => row.remove());
    return added;
  }

  function replacePart(old, fresh) {
    if (old.innerHTML === fresh.innerHTML) return;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const focusable = "a, button, summary, [tabindex]";
    const place = focused ? [...old.querySelectorAll(focusable)].indexOf(focused) : -1;
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((one, at) => { one.open = open[at] ?? one.open; });
    if (place >= 0) old.querySelectorAll(focusable)[place]?.focus();
  }

  // How long ago, for whoever does not want to count. The server sends the time itself only.
  const STEPS = [[60, "second"], [3600, "minute"], [86400, "hour"], [Infinity, "day"]];
  const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86400 };
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });
  function sayAgo(root) {
    for (const one of root.querySelectorAll(".ago")) {
      const seconds = (Date.parse(one.dataset.at) - Date.now()) / 1000;
      const unit = STEPS.find(([end]) => Math.abs(seconds) < end)[1];
      const words = relative.format(Math.trunc(seconds / SECONDS[unit]), unit);
      if (one.textContent !== words) one.textContent = words;
    }
  }
  sayAgo(document);
  setInterval(() => sayAgo(document), 10000);

  // Copying, of a text or of what a block shows.
  function showCopy(root) {
    for (const button of root.querySelectorAll("button.copy")) button.hidden = !navigator.clipboard;
  }
  showCopy(document);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    const { copy, copyOf, done } = button.dataset;
    await navigator.clipboard.writeText(copy ?? document.getElementById(copyOf).textContent);
    const label = button.dataset.label ??= button.textContent;
    button.textContent = done;
    announce.textContent = done;
    setTimeout(() => { button.textContent = label; }, 1500);
  });

  // Live updates can wait: rows that came meanwhile are counted, and shown when asked for.
  const pauseButton = document.getElementById("live-pause");
  const showButton = document.getElementById("live-show");
  let isPaused = sessionStorage.getItem("paused") === "1";
  function sayPaused() {
    pauseButton.textContent = isPaused ? pauseButton.dataset.resume : pauseButton.dataset.pause;
    pauseButton.setAttribute("aria-pressed", String(isPaused));
    if (!isPaused) showButton.hidden = true;
  }
  function sayHeld(count) {
    const { one, many } = showButton.dataset;
    showButton.textContent = count === 1 ? one : many.replace("{n}", count);
    showButton.hidden = !count;
  }
  pauseButton.addEventListener("click", () => {
    isPaused = !isPaused;
    sessionStorage.setItem("paused", isPaused ? "1" : "0");
    sayPaused();
    if (!isPaused) refresh();
  });
  showButton.addEventListener("click", () => { showButton.hidden = true; refresh(true); });
  sayPaused();
  function held(page) {
    const old = document.querySelector("[data-live=rows]");
    const fresh = old && page.getElementById(old.id);
    return fresh ? [...fresh.children].filter((row) => !document.getElementById(row.id)).length : 0;
  }

  let running = false;
  let again = false;
  async function refresh(isAsked = false) {
    if (running) { again = true; return; }
    running = true;
    try {
      // The header says that nobody reads it: a message for the next page is left for that one.
      const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      sayAgo(page);
      showCopy(page);
      if (isPaused && !isAsked) { sayHeld(held(page)); return; }
      let added = 0;
      for (const old of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(old.id);
        if (!fresh) continue;
        if (old.dataset.live === "rows") added += mergeRows(old, fresh);
        else replacePart(old, fresh);
      }
      say(added);
    } catch {
      // The server is gone: the stream says so, and comes back by itself.
    } finally {
      running = false;
      if (again) { again = false; setTimeout(() => refresh(), 150); }
    }
  }

  let stream = null;
  let seen = null;
  function listen() {
    if (stream || document.hidden || !document.querySelector("[data-live]")) return;
    stream = new EventSource(body.dataset.liveUrl);
    stream.onopen = () => show(true);
    stream.onerror = () => show(false);
    stream.onmessage = (event) => {
      if (seen !== event.data) refresh();
      seen = event.data;
    };
  }
  // A browser opens few connections to one server: a page that nobody sees holds none.
  function pause() {
    stream?.close();
    stream = null;
  }
  function show(isOn) {
    state.hidden = false;
    state.classList.toggle("off", !isOn);
    stateText.textContent = isOn ? body.dataset.liveOn : body.dataset.liveOff;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : listen()));
  window.addEventListener("pagehide", pause);
  window.addEventListener("pageshow", listen);
  listen();

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !button.dataset.busy) return;
    if (button.getAttribute("aria-disabled") === "true") { event.preventDefault(); return; }
    button.setAttribute("aria-disabled", "true");
    button.dataset.label = button.textContent;
    button.textContent = button.dataset.busy;
  });
  // Back in the history, the page is shown as it was left.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[aria-disabled]")) {
      button.removeAttribute("aria-disabled");
      if (button.dataset.label) button.textContent = button.dataset.label;
    }
  });
})();
