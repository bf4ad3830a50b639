// Theme and type size, before anything is painted. They are kept on this device; where that is not allowed, they last for the page.
(() => {
  "use strict";
  const root = document.documentElement;
  const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept, then */ } };
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const asked = new URLSearchParams(location.search);
  const theme = asked.get("theme") || read("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  if ((asked.get("type") || read("type")) === "large") root.dataset.type = "large";

  addEventListener("DOMContentLoaded", () => {
    // A page in another's frame has no buttons.
    if (!document.getElementById("theme")) return;
    const button = (id, pressed, press) => {
      const element = document.getElementById(id);
      const show = () => element.setAttribute("aria-pressed", String(pressed()));
      element.hidden = false;
      element.addEventListener("click", () => { press(); show(); dispatchEvent(new Event("look")); });
      show();
    };
    button("theme", dark, () => { root.dataset.theme = dark() ? "light" : "dark"; keep("theme", root.dataset.theme); });
    button("large", () => root.dataset.type === "large", () => {
      if (root.dataset.type) delete root.dataset.type; else root.dataset.type = "large";
      keep("type", root.dataset.type || "");
    });
  });
})();
