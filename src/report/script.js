(() => {
  "use strict";
  // Tables sort and filter; the page says the same without this.
  const shown = (row, n) => (row.cells[n] ? row.cells[n].textContent.trim() : "");
  const figure = (text) => {
    const n = parseFloat(text.replace(/,/g, "").replace("\u2212", "-"));
    return Number.isNaN(n) ? -Infinity : n;
  };
  for (const box of document.querySelectorAll(".scroll")) {
    const table = box.querySelector("table");
    if (!table || !table.tHead || !table.tBodies[0] || table.tBodies[0].rows.length < 2) continue;
    const body = table.tBodies[0];
    const asWritten = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        let rows = asWritten;
        if (before !== "descending") {
          const sign = before === "ascending" ? -1 : 1;
          head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
          const key = head.classList.contains("n")
            ? (a, b) => figure(shown(a, n)) - figure(shown(b, n))
            : (a, b) => shown(a, n).localeCompare(shown(b, n), "en");
          rows = [...asWritten].sort((a, b) => sign * key(a, b));
        }
        rows.forEach((row) => body.append(row));
      });
    });
    if (asWritten.length < 8) continue;
    const label = document.createElement("label");
    label.className = "filter";
    label.textContent = "Filter: " + (table.caption ? table.caption.textContent : "") + " ";
    const input = document.createElement("input");
    input.type = "search";
    const count = document.createElement("output");
    label.append(input, " ", count);
    // One thing stays one thing: a page may lay it out beside another.
    const whole = document.createElement("div");
    box.replaceWith(whole);
    whole.append(label, box);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let left = 0;
      for (const row of asWritten) {
        row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
        left += row.hidden ? 0 : 1;
      }
      count.textContent = wanted === "" ? "" : left + " of " + asWritten.length + " rows";
    });
  }
})();
