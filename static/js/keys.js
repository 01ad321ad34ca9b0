// Keyboard: ? help, / search, g + letter, j k x Enter r e, Ctrl+K palette. Never while typing.

const find = (selector) => document.querySelector(selector);
const rows = () => [...document.querySelectorAll("table[data-rows] > tbody > tr")];
const current = () => find("tr[data-current]");
let going = 0;

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(current());
  const row = all[Math.min(all.length - 1, Math.max(0, here + step))];
  all.forEach((other) => other.toggleAttribute("data-current", other === row));
  row.scrollIntoView({ block: "nearest" });
  row.querySelector("th a, [data-open]")?.focus();
}

const press = (name) => current()?.querySelector(`[data-do="${name}"]`)?.click();

const KEYS = {
  "?": () => find("#keys").showModal(),
  "/": () => find("main [data-search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("[data-pick]")?.click(),
  r: () => press("retry"),
  e: () => press("archive"),
  g: () => (going = Date.now()),
};

function typing(target) {
  return target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog[open]");
}

function on(event) {
  if (event.ctrlKey && event.key === "k") return () => openPalette();
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return null;
  if (Date.now() - going < 1500) {
    going = 0;
    const link = find(`a[data-key="${CSS.escape(event.key)}"]`);
    return link && (() => link.click());
  }
  return Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
}

if (!("noKeys" in document.body.dataset)) {
  document.addEventListener("keydown", (event) => {
    const act = on(event);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

// ---- palette: the pages of the navigation and whatever the page offers with data-command; what is
// none of them is looked for by the server (numbers, phones)
const palette = find("#palette");
const list = palette?.querySelector(".list");
const box = palette?.querySelector("input");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

function openPalette() {
  if (!palette || palette.open) return;
  list.replaceChildren(
    ...[...document.querySelectorAll(".rail a, a[data-command]")].map((link) => {
      const copy = link.cloneNode(true);
      ["id", "data-key", "aria-current", "aria-keyshortcuts", "class"].forEach((name) => copy.removeAttribute(name));
      copy.querySelector(".n")?.remove();
      return copy;
    }),
  );
  box.value = "";
  narrow();
  palette.showModal();
}

function narrow() {
  const wanted = plain(box.value);
  const links = [...list.children];
  links.forEach((link) => (link.hidden = !plain(link.textContent).includes(wanted)));
  choose(links.find((link) => !link.hidden));
}

function choose(link) {
  [...list.children].forEach((other) => other.toggleAttribute("data-current", other === link));
  link?.scrollIntoView({ block: "nearest" });
}

box?.addEventListener("input", narrow);
box?.addEventListener("keydown", (event) => {
  const shown = [...list.children].filter((link) => !link.hidden);
  const here = shown.findIndex((link) => link.hasAttribute("data-current"));
  if (event.key === "ArrowDown") choose(shown[Math.min(shown.length - 1, here + 1)]);
  else if (event.key === "ArrowUp") choose(shown[Math.max(0, here - 1)]);
  else if (event.key === "Enter" && shown[here]) shown[here].click();
  else return;
  event.preventDefault();
});
