// Fetches the page anew and puts its parts in place of this one's, so that focus, scroll position,
// selection and what has been chosen but not asked for yet stay. Without it the page is whole, only
// still.
"use strict";

(() => {
  const TIMEOUT = 8_000;
  const main = document.querySelector("main");
  const interval = Number(main.dataset.refresh) * 1_000;
  let shownAt = document.querySelector("main time")?.textContent ?? "";

  function selecting() {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  }

  // Ids stay the same from one rendering to the next.
  function scrolling(root) {
    return new Map([...root.querySelectorAll(".scroll")].map((each) => [each.id, each]));
  }

  function address(element) {
    if (element === null || !main.contains(element)) return null;
    if (element.id) return `#${CSS.escape(element.id)}`;
    const link = element.getAttribute("href");
    return link ? `a[href="${CSS.escape(link)}"]` : null;
  }

  // A form that somebody is filling in is theirs.
  function inUse(form) {
    if (form.contains(document.activeElement)) return true;
    return [...form.elements].some((each) =>
      each instanceof HTMLSelectElement
        ? [...each.options].some((option) => option.selected !== option.defaultSelected)
        : each instanceof HTMLInputElement && each.value !== each.defaultValue,
    );
  }

  // The filters are the one part that is not simply replaced, and everything around them is.
  function swap(fresh) {
    const replacement = fresh.querySelector("main");
    if (replacement === null) throw new Error("not the status page");
    const focused = address(document.activeElement);
    const scrolled = new Map([...scrolling(main)].map(([key, each]) => [key, each.scrollLeft]));
    const verdict = main.querySelector("h1")?.textContent;
    const form = document.getElementById("filters");
    const parts = ["summary", "demonstration", "accounts", "task-list"];
    const known = (root) => parts.filter((id) => root.querySelector(`#${id}`) !== null).join();
    if (form !== null && inUse(form) && known(main) === known(replacement)) {
      for (const id of parts) {
        const part = document.getElementById(id);
        if (part !== null) part.replaceWith(document.adoptNode(replacement.querySelector(`#${id}`)));
      }
    } else {
      main.replaceChildren(...document.adoptNode(replacement).childNodes);
    }
    for (const [key, each] of scrolling(main)) each.scrollLeft = scrolled.get(key) ?? 0;
    if (focused !== null && address(document.activeElement) !== focused) {
      main.querySelector(focused)?.focus({ preventScroll: true });
    }
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
      const answer = await fetch(location.pathname + location.search, {
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (notice.classList.contains("alarming")) say("");
      swap(fresh);
    } catch {
      // A page that silently stands still would be taken for the truth.
      say(`The exporter does not answer. This is what it said at ${shownAt}.`, true);
    }
  }

  setInterval(refresh, interval);
  document.addEventListener("visibilitychange", refresh);
})();
