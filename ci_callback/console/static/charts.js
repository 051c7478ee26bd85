// Pointing at a mark of a chart shows its numbers; dragging over days leads to the charts of those
// days. Without this file the marks still lead to their records, and have the browser's own hints.
"use strict";
(() => {
  const tip = document.getElementById("tip");
  const drawn = document.getElementById("drawn");
  if (!tip || !drawn) return;
  const MARGIN = 14;
  let from = null;
  let dragged = false;

  function columnAt(event) {
    return event.target.closest?.("[data-from]") ?? null;
  }

  function place(event) {
    const { width, height } = tip.getBoundingClientRect();
    const isRight = event.clientX + MARGIN + width > innerWidth;
    const left = isRight ? event.clientX - MARGIN - width : event.clientX + MARGIN;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + MARGIN, innerHeight - height - 4))}px`;
  }

  drawn.addEventListener("pointermove", (event) => {
    const mark = event.target.closest?.("[data-hint]");
    tip.hidden = !mark;
    if (!mark) return;
    // The browser's own hint would come besides.
    mark.querySelectorAll("title").forEach((one) => one.remove());
    tip.textContent = mark.dataset.hint;
    place(event);
    if (from) pick(columnAt(event));
  });
  drawn.addEventListener("pointerleave", () => { tip.hidden = true; });

  function pick(to) {
    if (!to || to.parentNode !== from.parentNode) return;
    dragged ||= to !== from;
    const [first, last] = [from.dataset.from, to.dataset.from].sort();
    for (const one of from.parentNode.querySelectorAll("[data-from]")) {
      const isIn = one.dataset.from >= first && one.dataset.from <= last;
      one.classList.toggle("ch-picked", dragged && isIn);
    }
  }

  drawn.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    from = columnAt(event);
    dragged = false;
  });
  drawn.addEventListener("dragstart", (event) => { if (from) event.preventDefault(); });
  document.addEventListener("pointerup", (event) => {
    const to = columnAt(event);
    if (from && dragged && to) {
      const days = [from.dataset.from, to.dataset.from, from.dataset.to, to.dataset.to].sort();
      const address = new URL(drawn.dataset.zoom, location.href);
      address.searchParams.set("since", days[0]);
      address.searchParams.set("until", days[3]);
      location.assign(address);
    }
    const picked = from?.parentNode.querySelectorAll(".ch-picked") ?? [];
    picked.forEach((one) => one.classList.remove("ch-picked"));
    from = null;
  });
  // What ends a drag is no click on the record below.
  drawn.addEventListener("click", (event) => {
    if (dragged) event.preventDefault();
    dragged = false;
  }, true);
})();
