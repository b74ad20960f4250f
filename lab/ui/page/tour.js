// A tour of a few steps. Each points at the control that it speaks of; Esc leaves, the arrow keys go on and back.
(() => {
  const STEPS = /*STEPS*/ [];
  const SEEN = "lab-tour-seen";
  const seen = () => { try { return localStorage.getItem(SEEN) === "1"; } catch { return true; } };
  const remember = () => { try { localStorage.setItem(SEEN, "1"); } catch { /* private mode */ } };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const button = (text, className, onClick) => {
    const element = make("button", className, text);
    element.type = "button";
    element.addEventListener("click", onClick);
    return element;
  };
  let at = 0, card = null, ring = null, opener = null, timer = 0;

  const tabNamed = (name) =>
    [...document.querySelectorAll('#lab-tabs [role="tab"]')].find((tab) => tab.textContent.trim() === name);
  const target = () => document.querySelector(STEPS[at].selector);

  const place = () => {
    const element = target();
    if (!card) return;
    if (!element || element.offsetParent === null) {
      ring.hidden = true;
      return;
    }
    const box = element.getBoundingClientRect(), edge = 12;
    ring.hidden = false;
    Object.assign(ring.style, {
      left: `${box.left - 6}px`, top: `${box.top - 6}px`, width: `${box.width + 12}px`, height: `${box.height + 12}px`,
    });
    const below = box.bottom + card.offsetHeight + 28 < innerHeight;
    const above = box.top - card.offsetHeight - 28 > 0;
    const top = below ? box.bottom + 18 : above ? box.top - card.offsetHeight - 18 : innerHeight - card.offsetHeight - edge;
    const left = Math.min(Math.max(edge, box.left), innerWidth - card.offsetWidth - edge);
    Object.assign(card.style, { top: `${top}px`, left: `${left}px` });
  };

  const open = (step) => {
    at = step;
    const { tab, title, text } = STEPS[at];
    if (tab) tabNamed(tab)?.click();
    card.replaceChildren();
    const heading = make("h2", "", title);
    heading.id = "lab-tour-title";
    const body = make("p", "", text);
    body.id = "lab-tour-text";
    const row = make("div", "lab-tour-row");
    const last = at === STEPS.length - 1;
    row.append(make("span", "lab-tour-count", `${at + 1} of ${STEPS.length}`));
    row.append(button("Skip", "lab-tour-plain", close));
    if (at > 0) row.append(button("Back", "lab-tour-plain", () => open(at - 1)));
    const next = button(last ? "Done" : "Next", "lab-tour-next", () => (last ? close() : open(at + 1)));
    row.append(next);
    card.append(heading, body, row);
    next.focus({ preventScroll: true });
    let tries = 0;
    const settle = () => {
      const element = target();
      if (element && element.offsetParent !== null) {
        const box = element.getBoundingClientRect();
        if (tries === 0 || box.top < 0 || box.top > innerHeight - 160) {
          element.scrollIntoView({ block: box.height > innerHeight * 0.6 ? "start" : "center" });
        }
      }
      place();
      if (++tries < 8) timer = setTimeout(settle, 120); // a tab that opens takes its time
    };
    clearTimeout(timer);
    settle();
  };

  const keys = (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowRight" && at < STEPS.length - 1) open(at + 1);
    else if (event.key === "ArrowLeft" && at > 0) open(at - 1);
    else if (event.key === "Tab") {
      const buttons = [...card.querySelectorAll("button")];
      const edge = event.shiftKey ? buttons[0] : buttons[buttons.length - 1];
      if (document.activeElement !== edge) return;
      (event.shiftKey ? buttons[buttons.length - 1] : buttons[0]).focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const start = () => {
    document.getElementById("lab-tour-offer")?.remove();
    if (card) return;
    opener = document.activeElement;
    card = make("div", "lab-tour-card");
    card.id = "lab-tour";
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-modal", "true");
    card.setAttribute("aria-labelledby", "lab-tour-title");
    card.setAttribute("aria-describedby", "lab-tour-text");
    ring = make("div", "lab-tour-ring");
    ring.setAttribute("aria-hidden", "true");
    document.body.append(ring, card);
    document.addEventListener("keydown", keys, true);
    addEventListener("resize", place);
    addEventListener("scroll", place, true);
    open(0);
  };

  const close = () => {
    remember();
    clearTimeout(timer);
    document.removeEventListener("keydown", keys, true);
    removeEventListener("resize", place);
    removeEventListener("scroll", place, true);
    card?.remove();
    ring?.remove();
    card = ring = null;
    opener?.focus?.({ preventScroll: true });
  };

  const offer = () => {
    if (seen() || document.getElementById("lab-tour-offer")) return;
    const box = make("aside", "lab-tour-offer");
    box.id = "lab-tour-offer";
    box.setAttribute("aria-label", "Tour");
    box.append(
      make("p", "", `New here? ${STEPS.length} steps show what the lab does, in about a minute.`),
      button("Start the tour", "lab-tour-next", start),
      button("Not now", "lab-tour-plain", () => { remember(); box.remove(); }),
    );
    document.body.append(box);
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#lab-tour-start")) start();
  });
  let tries = 0;
  const whenMounted = setInterval(() => {
    if (document.getElementById("lab-tour-start") || ++tries > 400) {
      clearInterval(whenMounted);
      offer();
    }
  }, 50);
})();
