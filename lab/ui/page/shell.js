// Dark and large type, kept in the browser; Ctrl+Enter runs and Esc stops what is on the open tab; and what
// Gradio's own components lack for screen readers and keys.
(() => {
  const kept = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode: not kept */ } },
  };
  const switches = {
    "lab-dark": { root: () => document.body, name: "dark", key: "lab-dark" },
    "lab-projector": { root: () => document.documentElement, name: "projector", key: "lab-projector" },
  };
  const show = (id) => {
    const { root, name } = switches[id];
    document.getElementById(id)?.setAttribute("aria-pressed", String(root().classList.contains(name)));
  };
  const restore = () => {
    for (const [id, { root, name, key }] of Object.entries(switches)) {
      const value = kept.get(key);
      if (value !== null) root().classList.toggle(name, value === "1");
      show(id);
    }
  };
  const visible = (element) => element.offsetParent !== null && !element.disabled;
  const press = (ending) => {
    const found = [...document.querySelectorAll(`button[id$="${ending}"]`)].find(visible);
    found?.click();
    return Boolean(found);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#lab-dark, #lab-projector");
    if (!button) return;
    const { root, name, key } = switches[button.id];
    kept.set(key, root().classList.toggle(name) ? "1" : "0");
    show(button.id);
    window.dispatchEvent(new Event("resize")); // figures fit their new size
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const field = document.activeElement;
      field?.blur?.(); // what is being typed counts
      field?.focus?.({ preventScroll: true });
      setTimeout(() => press("-run"), 120);
      event.preventDefault();
    } else if (event.key === "Escape" && !document.querySelector('dialog[open], [role="dialog"], [role="listbox"]')) {
      press("-stop");
    }
  });

  // Gradio labels an empty figure without a role, and leaves a scrolling table out of reach of the keyboard.
  const mend = () => {
    document.querySelectorAll("div.empty[aria-label]:not([role])").forEach((each) => each.setAttribute("role", "img"));
    document.querySelectorAll(".virtual-table-viewport").forEach((each) => {
      const cell = each.querySelector('[role="columnheader"], [role="gridcell"], th, td');
      if (cell && !each.querySelector("[tabindex='0']")) cell.tabIndex = 0;
    });
  };
  let isMending = false;
  new MutationObserver(() => {
    if (isMending) return;
    isMending = true;
    requestAnimationFrame(() => { isMending = false; mend(); });
  }).observe(document.documentElement, { childList: true, subtree: true });

  let tries = 0;
  const whenMounted = setInterval(() => {
    if (document.getElementById("lab-dark") || ++tries > 400) {
      clearInterval(whenMounted);
      restore();
    }
  }, 50);
})();
