() => {
  const plot = document.querySelector("#NAME .js-plotly-plot");
  if (plot?._context) plot._context.toImageButtonOptions = { filename: "NAME", scale: 2 };
  const buttons = [...document.querySelectorAll("#NAME .modebar-btn")];
  buttons.find((button) => /download/i.test(button.dataset.title ?? ""))?.click();
}
