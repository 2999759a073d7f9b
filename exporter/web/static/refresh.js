// Fetches the page anew and puts its main part in place of this one's, so that focus, scroll
// position and selection stay. Without it the page is whole, only still.
"use strict";

(() => {
  const INTERVAL = 10_000;
  const TIMEOUT = 8_000;
  let shownAt = document.querySelector("main time")?.textContent ?? "";

  function selecting() {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  }

  // Regions are known by what labels them: that stays the same from one rendering to the next.
  function places(root) {
    const found = new Map();
    for (const each of root.querySelectorAll(".scroll")) {
      found.set(each.getAttribute("aria-labelledby"), each);
    }
    return found;
  }

  function address(element, root) {
    if (!root.contains(element)) return null;
    if (element.id) return `#${CSS.escape(element.id)}`;
    const label = element.getAttribute("aria-labelledby");
    if (label) return `[aria-labelledby="${CSS.escape(label)}"]`;
    const link = element.getAttribute("href");
    return link ? `a[href="${CSS.escape(link)}"]` : null;
  }

  function swap(fresh) {
    const main = document.querySelector("main");
    const replacement = fresh.querySelector("main");
    if (main === null || replacement === null) throw new Error("not the status page");
    const focused = address(document.activeElement, main);
    const scrolled = new Map([...places(main)].map(([key, each]) => [key, each.scrollLeft]));
    const verdict = main.querySelector("h1")?.textContent;
    main.replaceChildren(...document.adoptNode(replacement).childNodes);
    for (const [key, each] of places(main)) each.scrollLeft = scrolled.get(key) ?? 0;
    if (focused !== null) main.querySelector(focused)?.focus({ preventScroll: true });
    document.title = fresh.title;
    shownAt = main.querySelector("time")?.textContent ?? "";
    if (verdict !== main.querySelector("h1")?.textContent) say(fresh.title);
  }

  const notice = document.getElementById("notice");
  function say(text, alarming = false) {
    if (notice.textContent !== text) notice.textContent = text;
    notice.classList.toggle("alarming", alarming);
  }

  async function refresh() {
    if (document.hidden || selecting()) return;
    try {
      const answer = await fetch(location.pathname, {
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const wasAlarming = notice.classList.contains("alarming");
      if (wasAlarming) say("");
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // A page that silently stands still would be taken for the truth.
      say(`The exporter does not answer. This is what it said at ${shownAt}.`, true);
    }
  }

  setInterval(refresh, INTERVAL);
  document.addEventListener("visibilitychange", refresh);
})();
