(table) => {
  // A cell that a spreadsheet would run as a formula gets an apostrophe; plain numbers stay numbers.
  const cell = (value) => {
    let text = value === null || value === undefined ? "" : String(value);
    if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = "'" + text;
    return '"' + text.replaceAll('"', '""') + '"';
  };
  if (!table?.headers?.length) return;
  const lines = [table.headers, ...table.data].map((row) => row.map(cell).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  link.download = "NAME.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
