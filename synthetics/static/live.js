// Keeps the page up to date: at news it asks for the page again and takes over each part that differs. Opened tables and the focus stay.
(() => {
  "use strict";
  const main = document.getElementById("main");
  const pulse = document.getElementById("pulse");
  const pause = document.getElementById("pause");
  if (!main.dataset.changes) return;
  let paused = false, busy = false, missed = false, source = null;

  const swap = (from, to) => {
    if (from.innerHTML === to.innerHTML) return;
    const open = [...from.querySelectorAll("details[open][id]")].map((details) => details.id);
    const focused = from.contains(document.activeElement) ? document.activeElement : null;
    const path = [];
    for (let node = focused; node && node !== from; node = node.parentElement) path.unshift([...node.parentElement.children].indexOf(node));
    const scrolls = [...from.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    // Compared with what the server sent, and not with what was opened since.
    for (const id of open) to.querySelector(`#${id}`)?.setAttribute("open", "");
    if (from.innerHTML === to.innerHTML) return;
    from.replaceChildren(...to.childNodes);
    [...from.querySelectorAll(".scroll")].forEach((box, at) => { if (scrolls[at]) [box.scrollLeft, box.scrollTop] = scrolls[at]; });
    let node = from;
    for (const at of path) node = node?.children[at];
    if (focused && node) node.focus({ preventScroll: true });
  };

  const refresh = async () => {
    if (busy) { missed = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (answer.ok && fresh?.dataset.changes) {
        for (const part of main.querySelectorAll("[data-live]")) {
          const to = fresh.querySelector(`#${part.id}`);
          if (to) swap(part, to);
        }
        main.dataset.changes = fresh.dataset.changes;
        document.title = page.title;
        pulse.textContent = "";
      }
    } catch { pulse.textContent = "The prober does not answer; what is shown is old."; }
    busy = false;
    if (missed) { missed = false; refresh(); }
  };

  const listen = () => {
    source = new EventSource("/events");
    let first = true;
    source.addEventListener("news", ({ data }) => { if (!first || data !== main.dataset.changes) refresh(); first = false; });
    source.addEventListener("error", () => { pulse.textContent = "The prober does not answer; what is shown is old."; });
    source.addEventListener("open", () => { pulse.textContent = ""; });
  };
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      if (paused) { source?.close(); pulse.textContent = "Paused."; } else { pulse.textContent = ""; listen(); }
    });
  }
  // A page that nobody sees needs nothing.
  document.addEventListener("visibilitychange", () => {
    if (paused) return;
    source?.close();
    if (!document.hidden) listen();
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", ({ persisted }) => { if (persisted && !paused) listen(); });
  listen();
})();
