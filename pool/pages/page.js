// Keeps a page of the pool up to date: sections that the server has drawn anew replace the old ones.
// Without this script the page is the same, as of when it was loaded.
"use strict";

(() => {
  const SILENCE = 35000; // the server sends something every 10 s
  const MINER_PAUSE = 10000; // between two looks at a miner's page
  const body = document.body;
  const connection = document.getElementById("connection");
  document.documentElement.classList.add("with-script");

  // Ages count on by the server's clock.
  let ahead = Number(body.dataset.now) - Date.now();

  function duration(seconds) {
    const two = (large, unit, small, smaller) =>
      small ? `${large} ${unit} ${small} ${smaller}` : `${large} ${unit}`;
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return two(hours, "h", minutes % 60, "min");
    return two(Math.floor(hours / 24), "d", hours % 24, "h");
  }

  function countAges() {
    const now = Date.now() + ahead;
    for (const time of document.querySelectorAll("time[data-moment]")) {
      const age = now - Number(time.dataset.moment);
      const length = duration(Math.max(0, Math.floor(age / 1000)));
      const isLength = time.dataset.form === "length";
      const text = isLength ? length : age < 2000 ? "just now" : `${length} ago`;
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // Replacing keeps the keyboard's focus, and waits while somebody has marked text to copy it.
  const waiting = new Map();

  function isMarked(element) {
    const selection = document.getSelection();
    return !selection.isCollapsed && selection.containsNode(element, true);
  }

  function replace(element, html) {
    if (isMarked(element)) {
      waiting.set(element, html);
      return;
    }
    waiting.delete(element);
    const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
    element.innerHTML = html;
    if (focused) {
      const again = [...element.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused);
      if (again) again.focus({ preventScroll: true });
    }
    countAges();
  }

  document.addEventListener("selectionchange", () => {
    for (const [element, html] of [...waiting]) if (!isMarked(element)) replace(element, html);
  });

  // The miner's page is looked at again when anything has changed.
  const miner = document.querySelector("[data-page-part=miner]");
  let minerLookedAt = Date.now();
  let minerTimer = 0;

  async function lookAtMiner() {
    minerTimer = 0;
    minerLookedAt = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page.querySelector("[data-page-part=miner]");
      if (part) replace(miner, part.innerHTML);
    } catch {
      // The connection's state is told by the event stream.
    }
  }

  function minerChanged() {
    if (!miner || minerTimer) return;
    minerTimer = setTimeout(lookAtMiner, Math.max(0, minerLookedAt + MINER_PAUSE - Date.now()));
  }

  let source = null;
  let heard = 0;
  let again = 0;

  function say(state, text) {
    if (connection.textContent !== text) connection.textContent = text;
    connection.className = `connection ${state}`;
  }

  function hear(event) {
    heard = Date.now();
    say("live", "Live");
    return JSON.parse(event.data);
  }

  function connect() {
    close();
    heard = Date.now();
    source = new EventSource(body.dataset.live);
    source.addEventListener("section", (event) => {
      const section = hear(event);
      const element = document.querySelector(`[data-section="${section.name}"]`);
      if (element) replace(element, section.html);
      else if (section.name === "payout") minerChanged();
    });
    source.addEventListener("beat", (event) => {
      ahead = hear(event).now - Date.now();
    });
    source.onerror = () => {
      say("lost", "Connection lost, trying again");
      // After an answer that is no stream (too many viewers, a proxy's error) the browser gives up.
      if (source.readyState === EventSource.CLOSED) connectAgain();
    };
  }

  function close() {
    clearTimeout(again);
    again = 0;
    if (source) source.close();
    source = null;
  }

  function connectAgain() {
    close();
    again = setTimeout(connect, 4000 + 6000 * Math.random());
  }

  setInterval(() => {
    countAges();
    if (source && Date.now() - heard > SILENCE) {
      say("lost", "Connection lost, trying again");
      connectAgain();
    }
  }, 1000);

  // Nobody looks at a hidden page; browsers have few connections for one server.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else connect();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      // Only pages over HTTPS may write to the clipboard: mark the text, so that one key copies it.
      document.getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      return;
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });

  if (!document.hidden) connect();
})();
