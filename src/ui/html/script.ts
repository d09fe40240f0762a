/** Sorts a table by the column that is clicked; the page reads the same without it. */
export const script = `
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("th")];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const valueOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const rows = [...table.tBodies[0].rows].sort((a, b) =>
      valueOf(a).localeCompare(valueOf(b), "en", { numeric: true }) * (up ? 1 : -1));
    table.tBodies[0].append(...rows);
  }));
}
`;
