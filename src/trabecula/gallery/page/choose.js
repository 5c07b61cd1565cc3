"use strict";

/* Choosing the nicer of the two designs that are compared; the choices are saved as a file for
   `trabecula taste choose`. Pairs that were not shown come first, those with designs that were seen least. */
const choices = [];

function nextPair() {
  const seen = rows.map((_, k) => choices.filter((choice) => choice.shown.includes(rows[k].name)).length);
  const asked = new Set(choices.map((choice) => [...choice.shown].sort().join("\n")));
  let best = null;
  rows.forEach((_, j) => rows.forEach((_, k) => {
    if (j >= k || !isShown(j) || !isShown(k)) return;
    const isAsked = asked.has([rows[j].name, rows[k].name].sort().join("\n"));
    const cost = (isAsked ? 1e6 : 0) + seen[j] + seen[k] + Math.random();
    if (best === null || cost < best.cost) best = { cost, left: j, right: k };
  }));
  if (best === null) return;
  [chosen.left, chosen.right] = [best.left, best.right];
  drawAll();
}

function prefer(side) {
  choices.push({ shown: [rows[chosen.left].name, rows[chosen.right].name], nicest: rows[chosen[side]].name });
  document.getElementById("chosen").textContent = `${choices.length} chosen`;
  nextPair();
}

function saveChoices() {
  const text = JSON.stringify({ trabecula_choices: 1, gallery: content.name, choices }, null, 1);
  const link = make("a", undefined, {
    href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
    download: "choices.json",
  });
  link.click();
  URL.revokeObjectURL(link.href);
}

if (rows.length > 1) {
  const bar = make("p", undefined, { class: "soft" });
  const buttons = [
    ["The left one is nicer", () => prefer("left")],
    ["The right one is nicer", () => prefer("right")],
    ["Another pair", nextPair],
    ["Save the choices", saveChoices],
  ];
  for (const [words, action] of buttons) {
    const button = make("button", words);
    button.addEventListener("click", action);
    bar.append(button, " ");
  }
  bar.append(make("span", "0 chosen", { id: "chosen" }), "; ", make("code", "trabecula taste choose GALLERY choices.json"), " learns from them.");
  document.getElementById("compare").before(bar);
}
