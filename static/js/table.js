// Rows: choosing them (shift-click, page, whole filter) and keeping the place after an action.

const among = (form, selector) => [...form.elements].filter((box) => box.matches(selector));
const boxes = (form) => among(form, "[data-pick]");
let last = null;

function say(form, count) {
  form.querySelectorAll("[data-picked]").forEach((element) => {
    const { one, many } = element.dataset;
    element.textContent = count === 1 ? one : many.replace("{n}", count.toLocaleString("pt-BR"));
  });
}

// Numbers and bar follow the boxes; "whole filter" ends with the first box that changes.
function show(form, scope = "page") {
  const all = boxes(form);
  const picked = all.filter((box) => box.checked).length;
  const [head] = among(form, "[data-pick-all]");
  const total = Number(form.dataset.total);
  form.elements.scope.value = scope;
  form.toggleAttribute("data-on", picked > 0);
  say(form, scope === "filter" ? (form.dataset.more ?? total) : picked);
  const offer = form.querySelector("[data-pick-filter]");
  if (offer) offer.hidden = scope === "filter" || picked < all.length || total <= picked;
  if (!head) return;
  head.checked = picked > 0 && picked === all.length;
  head.indeterminate = picked > 0 && picked < all.length;
}

function pickRange(form, box) {
  const all = boxes(form);
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
  if (from >= 0) all.slice(from, to + 1).forEach((other) => (other.checked = box.checked));
}

document.addEventListener("click", (event) => {
  const form = event.target.form ?? event.target.closest("form");
  if (!form?.matches("[data-bulk]")) return;
  if (event.target.matches("[data-pick]")) {
    if (event.shiftKey && last) pickRange(form, event.target);
    last = event.target;
    show(form);
  } else if (event.target.matches("[data-pick-all]")) {
    boxes(form).forEach((box) => (box.checked = event.target.checked));
    show(form);
  } else if (event.target.closest("[data-pick-filter]")) {
    show(form, "filter");
  } else if (event.target.closest("[data-pick-none]")) {
    boxes(form).forEach((box) => (box.checked = false));
    show(form);
  }
});

// A row that leaves hands the focus to the next row's action.
let next = null;
document.addEventListener("htmx:before:swap", (event) => {
  const row = event.detail.ctx.sourceElement.closest("tbody > tr");
  next = row && (row.nextElementSibling ?? row.previousElementSibling)?.id;
});
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("form[data-bulk]").forEach((form) => show(form, form.elements.scope.value));
  if (next && document.activeElement === document.body) {
    document.getElementById(next)?.querySelector(".do :is(button, a), a")?.focus();
  }
  next = null;
});

document.querySelectorAll("form[data-bulk]").forEach((form) => show(form));
