"use strict";

const content = JSON.parse(document.getElementById("content").textContent);
const rows = content.rows;
const chosen = { left: 0, right: Math.min(1, rows.length - 1) };
const view = { around: 0.7, over: 0.45 };
const limits = {};
const SVG = "http://www.w3.org/2000/svg";
const PERCENT = new Set(["above", "volume", "overhang", "symmetry"]);
const MORE_IS_BETTER = new Set(["symmetry", "nearest", "thinnest"]);
const NUMBERS = Object.keys(rows[0]).filter((key) => rows.some((row) => typeof row[key] === "number"));
const COMPARED = NUMBERS.filter((key) => key !== "nearest");

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function spell(key, value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  return PERCENT.has(key) ? `${(100 * value).toFixed(2)} %` : String(Number(value.toPrecision(4)));
}

function isShown(k) {
  return Object.entries(limits).every(([key, [low, high]]) => {
    const value = rows[k][key];
    return typeof value !== "number" || (value >= low && value <= high);
  }) && !hiddenSources.has(rows[k].source);
}
const hiddenSources = new Set();

/* Points of an SVG at places `[x, y]` per design; null leaves a design out. */
function scatter(svg, places, words) {
  svg.replaceChildren();
  const known = places.filter((place) => place);
  const range = (axis) => {
    const values = known.map((place) => place[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return high > low ? [low, high] : [low - 1, high + 1];
  };
  if (!known.length) return;
  const [[x0, x1], [y0, y1]] = [range(0), range(1)];
  for (const [text, x, y, anchor] of words([x0, x1], [y0, y1])) {
    const label = document.createElementNS(SVG, "text");
    label.textContent = text;
    label.setAttribute("x", x);
    label.setAttribute("y", y);
    label.setAttribute("text-anchor", anchor);
    svg.append(label);
  }
  places.forEach((place, k) => {
    if (!place) return;
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("cx", 40 + (320 * (place[0] - x0)) / (x1 - x0));
    circle.setAttribute("cy", 260 - (220 * (place[1] - y0)) / (y1 - y0));
    circle.setAttribute("r", 7);
    circle.setAttribute("class", [isShown(k) ? "" : "away", k === chosen.left ? "left" : "", k === chosen.right ? "right" : ""].join(" "));
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${rows[k].name}: +${spell("above", rows[k].above)}, ${content.designs[k].words}`;
    circle.append(title);
    circle.addEventListener("click", () => compare(k));
    svg.append(circle);
  });
}

function drawMaps() {
  scatter(document.getElementById("map"), content.designs.map((design) => design.place), () => []);
  const [across, up] = ["across", "up"].map((id) => document.getElementById(id).value);
  const places = rows.map((row) =>
    typeof row[across] === "number" && typeof row[up] === "number" ? [row[across], row[up]] : null);
  scatter(document.getElementById("tradeoff"), places, ([x0, x1], [y0, y1]) => [
    [spell(across, x0), 40, 292, "middle"], [spell(across, x1), 360, 292, "middle"], [across, 200, 292, "middle"],
    [spell(up, y0), 4, 264, "start"], [spell(up, y1), 4, 36, "start"], [up, 4, 14, "start"],
  ]);
}

/* The design that was clicked takes the place of the older one of the two. */
function compare(k) {
  if (k === chosen.left || k === chosen.right) return;
  chosen.left = chosen.right;
  chosen.right = k;
  drawAll();
}

const panels = {};
function makePanels() {
  for (const side of ["left", "right"]) {
    const article = make("article");
    const [title, canvas, table] = [make("h3"), make("canvas"), make("table")];
    const save = make("button", "Problem file to go on from this design");
    save.addEventListener("click", () => download(chosen[side]));
    article.append(title, canvas, table, save);
    document.getElementById("compare").append(article);
    const solid = content.dimension === 3 ? new Solid(canvas, turn) : null;
    panels[side] = { title, canvas, table, solid, article };
  }
}

function turn(x, y) {
  view.around += x;
  view.over = Math.max(-1.57, Math.min(1.57, view.over + y));
  for (const panel of Object.values(panels)) if (panel.solid && panel.solid.works) panel.solid.draw(view);
}

function drawPanel(side) {
  const { title, canvas, table, solid } = panels[side];
  const k = chosen[side];
  const other = rows[side === "left" ? chosen.right : chosen.left];
  title.textContent = `${rows[k].name}: ${content.designs[k].words}`;
  if (!solid) drawPlane(canvas, content.designs[k].voxels, content.size);
  else if (solid.works) {
    solid.show(content.designs[k].voxels, content.size);
    solid.draw(view);
  } else {
    canvas.replaceWith((panels[side].canvas = make("img", undefined, { src: picture(k), alt: rows[k].name, width: "100%" })));
  }
  table.replaceChildren();
  for (const key of Object.keys(rows[k])) {
    const row = make("tr");
    const value = make("td", spell(key, rows[k][key]));
    const difference = rows[k][key] - other[key];
    if (COMPARED.includes(key) && (MORE_IS_BETTER.has(key) ? difference > 0 : difference < 0)) value.className = "better";
    row.append(make("th", key), value);
    table.append(row);
  }
}

function picture(k) {
  return `data:image/png;base64,${content.designs[k].picture}`;
}

function download(k) {
  const link = make("a", undefined, {
    href: URL.createObjectURL(new Blob([content.designs[k].problem], { type: "text/yaml" })),
    download: `${rows[k].name}.yaml`,
  });
  link.click();
  URL.revokeObjectURL(link.href);
}

function makeCards() {
  rows.forEach((row, k) => {
    const card = make("div", undefined, { class: "card" });
    card.append(
      make("img", undefined, { src: picture(k), alt: row.name, loading: "lazy" }),
      make("b", row.name),
      make("p", `+${spell("above", row.above)}, ${row.word}; ${content.designs[k].words}`),
    );
    const button = make("button", "Compare");
    button.addEventListener("click", () => compare(k));
    card.append(button);
    document.getElementById("cards").append(card);
  });
}

function makeFilters() {
  const form = document.getElementById("filters");
  form.append(make("b", "Filters"));
  for (const key of ["above", "members", "holes", "mass", "stress", "overhang", "symmetry", "thinnest"]) {
    const values = rows.map((row) => row[key]).filter((value) => typeof value === "number");
    if (!values.length) continue;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (!(high > low)) continue;
    const least = key === "symmetry" || key === "thinnest";
    const label = make("label");
    const [words, range] = [make("span"), make("input", undefined, { type: "range", min: 0, max: 1000 })];
    range.value = least ? 0 : 1000;
    const apply = () => {
      const level = low + ((high - low) * range.value) / 1000;
      const room = 1e-9 * (high - low);
      limits[key] = least ? [level - room, Infinity] : [-Infinity, level + room];
      words.textContent = `${key} at ${least ? "least" : "most"} ${spell(key, level)}`;
      drawAll();
    };
    range.addEventListener("input", apply);
    words.textContent = `${key} at ${least ? "least" : "most"} ${spell(key, least ? low : high)}`;
    label.append(words, range);
    form.append(label);
  }
  for (const source of new Set(rows.map((row) => row.source))) {
    const label = make("label");
    const box = make("input", undefined, { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) hiddenSources.delete(source);
      else hiddenSources.add(source);
      drawAll();
    });
    label.append(box, ` ${source}`);
    form.append(label);
  }
}

function makeSources() {
  const table = document.getElementById("sources");
  const head = make("tr");
  const keys = { name: "source", drawn: "drawn", refined: "finished", kept: "in the gallery", work: "work" };
  for (const words of Object.values(keys)) head.append(make("th", words));
  table.append(head);
  for (const source of content.sources) {
    const row = make("tr");
    for (const key of Object.keys(keys)) row.append(make("td", spell(key, source[key])));
    table.append(row);
  }
}

function drawAll() {
  drawMaps();
  for (const side of ["left", "right"]) drawPanel(side);
  const cards = document.getElementById("cards").children;
  let shown = 0;
  rows.forEach((_, k) => {
    cards[k].hidden = !isShown(k);
    shown += isShown(k) ? 1 : 0;
  });
  document.getElementById("count").textContent = `${shown} of ${rows.length} shown`;
}

document.getElementById("name").textContent = content.name || "Gallery";
document.getElementById("message").textContent = `${content.message}; ranked by the ${content.figure} (units: ${content.units})`;
for (const [id, first] of [["across", "overhang"], ["up", "above"]]) {
  const select = document.getElementById(id);
  for (const key of NUMBERS) select.append(make("option", key, { value: key }));
  select.value = NUMBERS.includes(first) ? first : NUMBERS[0];
  select.addEventListener("change", drawAll);
}
makePanels();
makeCards();
makeFilters();
makeSources();
if (rows.length < 2) panels.right.article.hidden = true;
drawAll();
