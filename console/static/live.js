// Keeps the part of a page that is live up to date: at news it asks for the page again and takes over what differs, so that focus, opened details
// and selections stay where they are.
(() => {
  "use strict";
  const pulse = document.getElementById("pulse");
  const pause = document.getElementById("pause");
  let paused = false, busy = false, missed = false, source = null;

  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.id === b.id && a.dataset?.key === b.dataset?.key;
  const morph = (from, to) => {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if ("keep" in from.dataset) return;
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    const old = [...from.childNodes], fresh = [...to.childNodes];
    // New lines come on top of lists with keys: what was there moves down and stays itself.
    const keyed = new Map(old.filter((node) => node.dataset?.key).map((node) => [node.dataset.key, node]));
    let at = 0;
    for (const node of fresh) {
      const known = node.dataset?.key && keyed.get(node.dataset.key);
      while (old[at] && !old[at].isConnected) at += 1;
      const here = old[at];
      if (known && known.isConnected) {
        if (known !== here) from.insertBefore(known, here || null); else at += 1;
        morph(known, node);
      } else if (here && alike(here, node)) { morph(here, node); at += 1; }
      else from.insertBefore(node, here || null);
    }
    const wanted = fresh.length;
    while (from.childNodes.length > wanted) from.lastChild.remove();
  };

  const refresh = async () => {
    if (busy) { missed = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [from, to] = [document.getElementById("live"), page.getElementById("live")];
      if (from && to && answer.ok) morph(from, to);
      dispatchEvent(new Event("news"));
      pulse.textContent = "";
    } catch { pulse.textContent = "The console does not answer; what is shown is old."; }
    busy = false;
    if (missed) { missed = false; refresh(); }
  };

  const listen = () => {
    source = new EventSource("/live");
    let first = true;
    source.addEventListener("news", () => { if (first) { first = false; return; } refresh(); });
    source.addEventListener("error", () => { pulse.textContent = "The console does not answer; what is shown is old."; first = false; });
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) { source?.close(); pulse.textContent = "Paused."; } else { pulse.textContent = ""; refresh(); listen(); }
  });
  // A page that nobody sees needs nothing.
  document.addEventListener("visibilitychange", () => {
    if (paused) return;
    source?.close();
    if (!document.hidden) { refresh(); listen(); }
  });
  // A link to a span opens it.
  const open = () => { const target = location.hash && document.getElementById(location.hash.slice(1)); if (target?.tagName === "DETAILS") { target.open = true; target.scrollIntoView({ block: "center" }); } };
  addEventListener("hashchange", open);
  open();
  listen();
})();
