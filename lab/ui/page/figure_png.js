() => {
  const buttons = [...document.querySelectorAll("#NAME .modebar-btn")];
  buttons.find((button) => /download/i.test(button.dataset.title ?? ""))?.click();
}
