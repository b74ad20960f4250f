// Binds plotly_click to the figure with this id; gradio may draw it later, and may draw another one in its place.
const plotId = /*PLOT*/ '';
const bound = new WeakSet();
const plain = (value) => (typeof value === 'number' || typeof value === 'string' ? value : null);
const bind = () => {
  const figure = document.getElementById(plotId)?.querySelector('.js-plotly-plot');
  if (!figure?.on || bound.has(figure)) return;
  bound.add(figure);
  figure.on('plotly_click', (event) => {
    const point = event?.points?.[0];
    if (!point) return;
    const { x, y, curveNumber, pointNumber, customdata } = point;
    trigger('select', {
      x: plain(x), y: plain(y), curve: curveNumber ?? 0, point: plain(pointNumber),
      data: Array.isArray(customdata) ? customdata.map(plain) : plain(customdata),
    });
  });
};
const watcher = setInterval(() => {
  if (!element.isConnected) clearInterval(watcher);
  else bind();
}, 250);
bind();
