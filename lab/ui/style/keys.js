// Ctrl+Enter runs and Esc stops what is on the open tab; a button switches large type for a projector.
(() => {
  const KEY = 'lab-projector-mode';
  const stored = () => { try { return localStorage.getItem(KEY) === '1'; } catch { return false; } };
  const store = (on) => { try { localStorage.setItem(KEY, on ? '1' : '0'); } catch { /* private mode */ } };
  const visible = (node) => node.offsetParent !== null && !node.disabled;
  const press = (name) => {
    const found = [...document.querySelectorAll(`button.${name}, .${name} button`)].find(visible);
    found?.click();
    return Boolean(found);
  };
  const project = (on) => {
    document.body.classList.toggle('lab-projector', on);
    for (const node of document.querySelectorAll('.lab-projector-toggle')) node.setAttribute('aria-pressed', String(on));
    window.dispatchEvent(new Event('resize'));
  };
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      const field = document.activeElement;
      field?.blur?.();
      field?.focus?.({ preventScroll: true });
      setTimeout(() => press('lab-run'), 120); // what was being typed reaches its component first
      event.preventDefault();
    } else if (event.key === 'Escape' && !document.querySelector('dialog[open], [role="dialog"], [role="listbox"]')) {
      press('lab-stop');
    }
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('.lab-projector-toggle')) return;
    const on = !document.body.classList.contains('lab-projector');
    store(on);
    project(on);
  });
  const start = () => { if (stored()) project(true); };
  if (document.body) start();
  else document.addEventListener('DOMContentLoaded', start);
})();
